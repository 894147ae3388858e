-- W3C trace context of the request that brought the event; events from before have none.
ALTER TABLE "eventlog" ADD COLUMN "trace" TEXT;

-- What dispatchers say of the tasks that came of deliveries, each event once for each delivery. Purged with it.
CREATE TABLE "task_event" (
    "delivery" UUID NOT NULL REFERENCES "delivery" ("uuid") ON DELETE CASCADE,
    "task" UUID NOT NULL,
    "sequence" BIGINT NOT NULL,
    "replay" INTEGER NOT NULL,
    "dispatcher" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "exception_type" TEXT,
    "exception_value" TEXT,
    "files_taken" INTEGER NOT NULL,
    "bytes_taken" BIGINT NOT NULL,
    "bundles" JSONB NOT NULL,
    "created" TIMESTAMPTZ NOT NULL,
    "started" TIMESTAMPTZ,
    "settled" TIMESTAMPTZ,
    "time" TIMESTAMPTZ NOT NULL,
    PRIMARY KEY ("delivery", "task", "sequence")
);
