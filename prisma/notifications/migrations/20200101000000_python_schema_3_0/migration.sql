-- The database of pacifica-notifications 0.5 (Python, peewee), schema 3.0: names, types and indexes as it makes them.
-- A site that switches over has these tables already; `dbsync` then records this migration without running it.

CREATE TABLE "eventmatch" (
    "uuid" UUID NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "jsonpath" TEXT NOT NULL,
    "user" VARCHAR(255) NOT NULL,
    "disabled" TIMESTAMP,
    "error" TEXT,
    "target_url" TEXT NOT NULL,
    "version" VARCHAR(255) NOT NULL,
    "extensions" TEXT NOT NULL,
    "auth" TEXT,
    "created" TIMESTAMP NOT NULL,
    "updated" TIMESTAMP NOT NULL,
    "deleted" TIMESTAMP
);
CREATE INDEX "eventmatch_name" ON "eventmatch" ("name");
CREATE INDEX "eventmatch_user" ON "eventmatch" ("user");
CREATE INDEX "eventmatch_disabled" ON "eventmatch" ("disabled");
CREATE INDEX "eventmatch_created" ON "eventmatch" ("created");
CREATE INDEX "eventmatch_updated" ON "eventmatch" ("updated");
CREATE INDEX "eventmatch_deleted" ON "eventmatch" ("deleted");

CREATE TABLE "eventlog" (
    "uuid" UUID NOT NULL PRIMARY KEY,
    "jsondata" TEXT NOT NULL,
    "created" TIMESTAMP NOT NULL
);
CREATE INDEX "eventlog_created" ON "eventlog" ("created");

CREATE TABLE "eventlogmatch" (
    "uuid" UUID NOT NULL PRIMARY KEY,
    "event_log_id" UUID NOT NULL,
    "event_match_id" UUID NOT NULL,
    "policy_status_code" VARCHAR(255) NOT NULL,
    "policy_resp_body" TEXT NOT NULL,
    "target_status_code" VARCHAR(255),
    "target_resp_body" TEXT,
    "created" TIMESTAMP NOT NULL,
    FOREIGN KEY ("event_log_id") REFERENCES "eventlog" ("uuid"),
    FOREIGN KEY ("event_match_id") REFERENCES "eventmatch" ("uuid")
);
CREATE INDEX "eventlogmatch_event_log_id" ON "eventlogmatch" ("event_log_id");
CREATE INDEX "eventlogmatch_event_match_id" ON "eventlogmatch" ("event_match_id");
CREATE INDEX "eventlogmatch_created" ON "eventlogmatch" ("created");

CREATE TABLE "notificationsystem" (
    "part" VARCHAR(255) NOT NULL PRIMARY KEY,
    "value" INTEGER NOT NULL
);
INSERT INTO "notificationsystem" ("part", "value") VALUES ('major', 3), ('minor', 0);
