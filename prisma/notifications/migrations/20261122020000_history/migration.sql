-- What people see: lists of events and deliveries, newest first, each by an index; test events; recoveries.

-- `received`: when the delivery's event was accepted. Lists of events begin at deliveries, so the order is here too.
-- `test`: a test event, which Policy is not asked about and which is tried once.
ALTER TABLE "delivery"
    ADD COLUMN "received" TIMESTAMPTZ,
    ADD COLUMN "test" BOOLEAN NOT NULL DEFAULT false;
UPDATE "delivery" d SET "received" = e."created" FROM "eventlog" e WHERE e."uuid" = d."event";
ALTER TABLE "delivery" ALTER COLUMN "received" SET NOT NULL, ALTER COLUMN "received" SET DEFAULT now();

DROP INDEX "delivery_subscription";
CREATE INDEX "delivery_subscription" ON "delivery" ("subscription", "received" DESC, "event" DESC);
-- Most deliveries end as delivered: these two stay small.
CREATE INDEX "delivery_subscription_state" ON "delivery" ("subscription", "state", "received" DESC, "event" DESC)
    WHERE "state" <> 'delivered';
CREATE INDEX "delivery_state" ON "delivery" ("state", "received" DESC, "event" DESC) WHERE "state" <> 'delivered';

-- Of long texts the beginning: a btree entry has its limit. Lists look for the beginning and then for the whole.
CREATE INDEX "eventlog_event_type" ON "eventlog" (left("event_type", 200), "created");
CREATE INDEX "eventlog_source" ON "eventlog" (left("source", 200), "created");
CREATE INDEX "eventlog_unmatchable" ON "eventlog" ("created") WHERE "state" = 'unmatchable';

-- A recovery replays one subscription's deliveries of a time range, oldest first. `position_*`: the last delivery that it
-- has dealt with, moved in the transaction that replays. `due`: when a worker may claim it; while claimed, the lease's end.
CREATE TABLE "recover_job" (
    "uuid" UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    "subscription" UUID NOT NULL REFERENCES "eventmatch" ("uuid"),
    "asked_by" VARCHAR(255) NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'running' CHECK ("state" IN ('running', 'done', 'cancelled')),
    "reason" TEXT,
    "since" TIMESTAMPTZ NOT NULL,
    "until" TIMESTAMPTZ NOT NULL,
    "states" TEXT[] NOT NULL,
    "total" INTEGER NOT NULL DEFAULT 0,
    "replayed" INTEGER NOT NULL DEFAULT 0,
    "skipped" INTEGER NOT NULL DEFAULT 0,
    "waiting" TEXT,
    "position_received" TIMESTAMPTZ,
    "position_event" UUID,
    "claim" BIGINT NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ DEFAULT now(),
    "created" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "updated" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "finished" TIMESTAMPTZ
);
CREATE UNIQUE INDEX "recover_job_running" ON "recover_job" ("subscription") WHERE "state" = 'running';
CREATE INDEX "recover_job_due" ON "recover_job" ("due") WHERE "state" = 'running';
CREATE INDEX "recover_job_subscription" ON "recover_job" ("subscription", "created" DESC, "uuid" DESC);
