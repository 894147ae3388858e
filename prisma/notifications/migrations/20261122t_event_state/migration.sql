-- What changes of an event as it is matched, beside the event: the row of `eventlog`, 1.5 kB with six indexes, is written
-- once and not anew when it has been matched. `due`: when it may be claimed; while it is claimed, the lease's end; null:
-- nobody has to act. `received` is the event's `created`.
LOCK TABLE "eventlog" IN ACCESS EXCLUSIVE MODE;
CREATE TABLE "event_state" (
    "event" UUID NOT NULL,
    "received" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "state" TEXT NOT NULL DEFAULT 'new' CHECK ("state" IN ('new', 'matched', 'unmatchable')),
    "reason" TEXT,
    "matched" TIMESTAMPTZ,
    "match_count" INTEGER,
    "claim" BIGINT NOT NULL DEFAULT 0,
    "begun" INTEGER NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ DEFAULT now()
);
INSERT INTO "event_state" ("event", "received", "state", "reason", "matched", "match_count", "claim", "begun", "due")
SELECT "uuid", "created", "state", "reason", "matched", "match_count", "match_claim", "match_begun", "match_due" FROM "eventlog";
ALTER TABLE "event_state" ADD CONSTRAINT "event_state_pkey" PRIMARY KEY ("event");
CREATE INDEX "event_state_due" ON "event_state" ("due") WHERE "state" = 'new';
-- Events whose matching was begun too often are few, and looked for with every batch: not among all that are new.
CREATE INDEX "event_state_alone" ON "event_state" ("due") WHERE "state" = 'new' AND "begun" >= 3;
CREATE INDEX "event_state_unmatchable" ON "event_state" ("received", "event") WHERE "state" = 'unmatchable';
ALTER TABLE "eventlog" DROP COLUMN "state", DROP COLUMN "reason", DROP COLUMN "matched", DROP COLUMN "match_count",
    DROP COLUMN "match_claim", DROP COLUMN "match_begun", DROP COLUMN "match_due"; -- and the indexes of them

-- A state goes with its event. A foreign key would do the same, but it would also look for the event whenever one is
-- accepted, a ninth of that statement's time, although it is the statement that stores both.
CREATE FUNCTION "forget_event_state"() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    DELETE FROM "event_state" WHERE "event" = OLD."uuid";
    RETURN NULL;
END $function$;
CREATE TRIGGER "event_state_goes" AFTER DELETE ON "eventlog" FOR EACH ROW EXECUTE FUNCTION "forget_event_state"();
