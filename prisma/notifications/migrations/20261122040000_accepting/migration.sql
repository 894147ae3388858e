-- Finds an earlier event with the same source and id. Both come from senders and may be long, so their digest is kept.
CREATE INDEX "eventlog_identity" ON "eventlog" ((md5("source" || ' ' || "event_id")::uuid), "sequence")
    WHERE "event_id" IS NOT NULL;

-- An event that was answered with an id while the database was away, and then turned out to be stored already.
CREATE TABLE "eventlog_alias" (
    "uuid" UUID NOT NULL PRIMARY KEY,
    "event" UUID NOT NULL REFERENCES "eventlog" ("uuid") ON DELETE CASCADE,
    "created" TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX "eventlog_alias_event" ON "eventlog_alias" ("event");
