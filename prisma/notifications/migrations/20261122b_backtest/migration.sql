-- A draft expression tried on stored events, newest first, in small steps. `position_*`: the last event that it is past,
-- moved in the statement that stores what was found. `due`: when a worker may claim it; while claimed, the lease's end.
-- `begun`: claims since something was last stored. `tally`: what was counted so far, as JSON (apps/notifications/src/backtest).
CREATE TABLE "backtest_job" (
    "uuid" UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    "asked_by" VARCHAR(255) NOT NULL,
    "owner" VARCHAR(255) NOT NULL,
    "sees_all" BOOLEAN NOT NULL,
    "name" VARCHAR(255),
    "jsonpath" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "version" VARCHAR(255) NOT NULL,
    "since" TIMESTAMPTZ NOT NULL,
    "until" TIMESTAMPTZ NOT NULL,
    "samples" INTEGER NOT NULL,
    "policy" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting' CHECK ("state" IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
    "reason" TEXT,
    "complete" BOOLEAN NOT NULL DEFAULT false,
    "waiting" TEXT,
    "total" INTEGER,
    "tally" TEXT,
    "position_created" TIMESTAMPTZ,
    "position_event" UUID,
    "claim" BIGINT NOT NULL DEFAULT 0,
    "begun" INTEGER NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ DEFAULT now(),
    "created" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "started" TIMESTAMPTZ,
    "updated" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "finished" TIMESTAMPTZ
);
CREATE INDEX "backtest_job_due" ON "backtest_job" ("due") WHERE "state" IN ('waiting', 'running');
CREATE INDEX "backtest_job_asked_by" ON "backtest_job" ("asked_by", "created" DESC, "uuid" DESC);
CREATE INDEX "backtest_job_finished" ON "backtest_job" ("finished") WHERE "finished" IS NOT NULL;

-- Events that a backtest shows. They go with the event: what was purged is shown nowhere.
CREATE TABLE "backtest_sample" (
    "job" UUID NOT NULL REFERENCES "backtest_job" ("uuid") ON DELETE CASCADE,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('matched', 'denied', 'unknown', 'over_budget')),
    "event" UUID NOT NULL REFERENCES "eventlog" ("uuid") ON DELETE CASCADE,
    "place" INTEGER NOT NULL,
    "policy" TEXT,
    "found" TEXT,
    PRIMARY KEY ("job", "kind", "event")
);
CREATE INDEX "backtest_sample_event" ON "backtest_sample" ("event");
