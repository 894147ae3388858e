-- AlterTable: what is known of a run (its process, how far it is), of its retries, and of a wish to end it
ALTER TABLE "task" ADD COLUMN "retries" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "process" JSONB,
ADD COLUMN "progress" JSONB,
ADD COLUMN "cancelled" TIMESTAMPTZ(6);

-- Two states more
ALTER TABLE "task" DROP CONSTRAINT "task_state_check";
ALTER TABLE "task" ADD CONSTRAINT "task_state_check" CHECK ("state" IN ('waiting', 'running', 'retrying', 'done', 'unrouted', 'failed', 'timed-out', 'cancelled'));

-- What can be claimed, in its order (partial: Prisma's schema cannot say this one)
DROP INDEX "task_due_idx";
CREATE INDEX "task_due_idx" ON "task"("due", "seq") WHERE "state" IN ('waiting', 'running', 'retrying');

-- CreateTable: each upload of a task, known before its first byte is sent
CREATE TABLE "task_upload" (
    "task" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "last" BOOLEAN NOT NULL DEFAULT false,
    "unsure" BOOLEAN NOT NULL DEFAULT false,
    "job_id" BIGINT,
    "bundle" TEXT,
    "transaction" TEXT,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_upload_pkey" PRIMARY KEY ("task","number"),
    CONSTRAINT "task_upload_state_check" CHECK ("state" IN ('begun', 'ending', 'sent', 'done'))
);

-- CreateTable: what a task's runs wrote, piece by piece
CREATE TABLE "task_log" (
    "id" BIGSERIAL NOT NULL,
    "task" UUID NOT NULL,
    "claim" INTEGER NOT NULL,
    "stream" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "task_log_task_idx" ON "task_log"("task", "id");

-- AddForeignKey
ALTER TABLE "task_upload" ADD CONSTRAINT "task_upload_task_fkey" FOREIGN KEY ("task") REFERENCES "task"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "task_log" ADD CONSTRAINT "task_log_task_fkey" FOREIGN KEY ("task") REFERENCES "task"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What earlier versions noted in the row: each was away by then
INSERT INTO "task_upload" ("task", "number", "state", "job_id", "bundle")
SELECT t.id, made.number, 'done', (made.item->>'jobId')::bigint, made.item->>'bundle'
FROM "task" t CROSS JOIN LATERAL jsonb_array_elements(t.bundles) WITH ORDINALITY AS made(item, number);
