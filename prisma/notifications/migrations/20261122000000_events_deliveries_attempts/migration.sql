-- From the Python schema to ours: every event, delivery and attempt is a row, and every row says what happens next.
-- Naive times are read in the session's time zone (dbsync sets it from --timezone).

ALTER TABLE "eventmatch"
    ALTER COLUMN "disabled" TYPE TIMESTAMPTZ,
    ALTER COLUMN "created" TYPE TIMESTAMPTZ,
    ALTER COLUMN "created" SET DEFAULT now(),
    ALTER COLUMN "updated" TYPE TIMESTAMPTZ,
    ALTER COLUMN "updated" SET DEFAULT now(),
    ALTER COLUMN "deleted" TYPE TIMESTAMPTZ,
    ALTER COLUMN "version" SET DEFAULT 'v0.1',
    ALTER COLUMN "extensions" SET DEFAULT '{}',
    ADD COLUMN "dialect" TEXT NOT NULL DEFAULT 'jsonpath2',
    ADD COLUMN "max_concurrency" INTEGER,
    ADD COLUMN "retry" JSONB,
    ADD COLUMN "revision" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "last_success" TIMESTAMPTZ,
    ADD COLUMN "failing_since" TIMESTAMPTZ;
UPDATE "eventmatch" SET "auth" = '{}' WHERE "auth" IS NULL;
ALTER TABLE "eventmatch" ALTER COLUMN "auth" SET NOT NULL, ALTER COLUMN "auth" SET DEFAULT '{}';
CREATE INDEX "eventmatch_revision" ON "eventmatch" ("revision");

-- The one row from which every change of a subscription takes its revision, under a lock held to commit:
-- who has read up to N has seen all changes <= N.
CREATE TABLE "subscription_revision" (
    "only" BOOLEAN NOT NULL PRIMARY KEY DEFAULT true CHECK ("only"),
    "revision" BIGINT NOT NULL
);
INSERT INTO "subscription_revision" ("revision") VALUES (1);
UPDATE "eventmatch" SET "revision" = 1;

ALTER TABLE "eventlog"
    ALTER COLUMN "created" TYPE TIMESTAMPTZ,
    ALTER COLUMN "created" SET DEFAULT now(),
    ADD COLUMN "sequence" BIGINT GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN "spec_version" TEXT,
    ADD COLUMN "source" TEXT,
    ADD COLUMN "event_id" TEXT,
    ADD COLUMN "event_type" TEXT,
    ADD COLUMN "event_time" TEXT,
    ADD COLUMN "digest" TEXT,
    ADD COLUMN "state" TEXT NOT NULL DEFAULT 'matched' CHECK ("state" IN ('new', 'matched', 'unmatchable')),
    ADD COLUMN "reason" TEXT,
    ADD COLUMN "matched" TIMESTAMPTZ,
    ADD COLUMN "match_count" INTEGER,
    ADD COLUMN "match_claim" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "match_begun" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "match_due" TIMESTAMPTZ;
-- What Python had is history: matched, never delivered again. What comes from now on is new.
ALTER TABLE "eventlog" ALTER COLUMN "state" SET DEFAULT 'new', ALTER COLUMN "match_due" SET DEFAULT now();
CREATE UNIQUE INDEX "eventlog_digest" ON "eventlog" ("digest");
CREATE UNIQUE INDEX "eventlog_sequence" ON "eventlog" ("sequence");
CREATE INDEX "eventlog_match_due" ON "eventlog" ("match_due") WHERE "state" = 'new';

-- One question to Policy for each event and user. `due`: when it may be asked; while it is being asked, the lease's end.
CREATE TABLE "policy_answer" (
    "event" UUID NOT NULL REFERENCES "eventlog" ("uuid") ON DELETE CASCADE,
    "owner" VARCHAR(255) NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'asking' CHECK ("state" IN ('asking', 'allowed', 'denied')),
    "status_code" INTEGER,
    "body" TEXT,
    "error" TEXT,
    "asked" INTEGER NOT NULL DEFAULT 0,
    "claim" BIGINT NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ DEFAULT now(),
    "answered" TIMESTAMPTZ,
    PRIMARY KEY ("event", "owner")
);
CREATE INDEX "policy_answer_due" ON "policy_answer" ("due") WHERE "due" IS NOT NULL;

-- One delivery for each event and matching subscription. `due`: when a worker may claim it; while it is delivering,
-- the end of that worker's lease; null while nobody has to act (waiting for policy, held, settled).
CREATE TABLE "delivery" (
    "uuid" UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    "event" UUID NOT NULL REFERENCES "eventlog" ("uuid") ON DELETE CASCADE,
    "subscription" UUID NOT NULL REFERENCES "eventmatch" ("uuid"),
    "owner" VARCHAR(255) NOT NULL,
    "state" TEXT NOT NULL CHECK ("state" IN ('pending', 'denied', 'delivering', 'delivered', 'retrying', 'exhausted',
                                             'held', 'cancelled', 'failed')),
    "reason" TEXT,
    "replay" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "claim" BIGINT NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ,
    "created" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "settled" TIMESTAMPTZ,
    UNIQUE ("event", "subscription")
);
CREATE INDEX "delivery_due" ON "delivery" ("due") WHERE "due" IS NOT NULL;
CREATE INDEX "delivery_subscription" ON "delivery" ("subscription", "created" DESC, "uuid");

CREATE TABLE "attempt" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "delivery" UUID NOT NULL REFERENCES "delivery" ("uuid") ON DELETE CASCADE,
    "number" INTEGER NOT NULL,
    "replay" INTEGER NOT NULL,
    "started" TIMESTAMPTZ NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "status_code" INTEGER,
    "body" TEXT,
    "error" TEXT
);
CREATE INDEX "attempt_delivery" ON "attempt" ("delivery", "id");

-- The Python service refuses a schema that is newer than its own.
UPDATE "notificationsystem" SET "value" = 4 WHERE "part" = 'major';
UPDATE "notificationsystem" SET "value" = 0 WHERE "part" = 'minor';
