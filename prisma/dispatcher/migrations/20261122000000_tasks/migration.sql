-- CreateTable
CREATE TABLE "task" (
    "id" UUID NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "digest" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "trace" TEXT,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "claim" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "worker" TEXT,
    "files_taken" INTEGER NOT NULL DEFAULT 0,
    "bytes_taken" BIGINT NOT NULL DEFAULT 0,
    "bundles" JSONB NOT NULL DEFAULT '[]',
    "exception_type" TEXT,
    "exception_value" TEXT,
    "exception_traceback" TEXT NOT NULL DEFAULT '',
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started" TIMESTAMPTZ(6),
    "settled" TIMESTAMPTZ(6),
    "deleted" TIMESTAMPTZ(6),

    CONSTRAINT "task_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "task_state_check" CHECK ("state" IN ('waiting', 'running', 'done', 'unrouted', 'failed', 'timed-out'))
);

-- CreateTable
CREATE TABLE "task_delivery" (
    "delivery" UUID NOT NULL,
    "replay" INTEGER NOT NULL,
    "task" UUID NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_delivery_pkey" PRIMARY KEY ("delivery","replay")
);

-- CreateIndex
CREATE UNIQUE INDEX "task_seq_key" ON "task"("seq");

-- CreateIndex: the digest is of all bytes, so it finds an event without indexing its source and id, which may be long
CREATE INDEX "task_digest_idx" ON "task"("digest");

-- CreateIndex: what can be claimed, in its order (partial: Prisma's schema cannot say this one)
CREATE INDEX "task_due_idx" ON "task"("due", "seq") WHERE "state" IN ('waiting', 'running');

-- CreateIndex
CREATE INDEX "task_delivery_task_idx" ON "task_delivery"("task");

-- AddForeignKey
ALTER TABLE "task_delivery" ADD CONSTRAINT "task_delivery_task_fkey" FOREIGN KEY ("task") REFERENCES "task"("id") ON DELETE CASCADE ON UPDATE CASCADE;
