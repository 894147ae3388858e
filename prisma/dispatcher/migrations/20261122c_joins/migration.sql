-- AlterTable: the join that a task's event has gone into, and the join whose events a task runs on
ALTER TABLE "task" ADD COLUMN "joined" UUID,
ADD COLUMN "join_run" UUID;

-- One state and one kind more
ALTER TABLE "task" DROP CONSTRAINT "task_state_check";
ALTER TABLE "task" ADD CONSTRAINT "task_state_check" CHECK ("state" IN ('waiting', 'running', 'retrying', 'joined', 'done', 'unrouted', 'failed', 'timed-out', 'cancelled'));
ALTER TABLE "task" DROP CONSTRAINT "task_kind_check";
ALTER TABLE "task" ADD CONSTRAINT "task_kind_check" CHECK ("kind" IN ('event', 'retry', 'dry-run', 'join'));

-- CreateIndex: a join's tasks (partial: Prisma's schema cannot say these two)
CREATE INDEX "task_joined_idx" ON "task"("joined") WHERE "joined" IS NOT NULL;
CREATE INDEX "task_join_run_idx" ON "task"("join_run", "seq") WHERE "join_run" IS NOT NULL;

-- CreateTable: events that belong together by a key, and what they wait for. The key is bounded, so that it can be indexed
CREATE TABLE "task_join" (
    "id" UUID NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'open',
    "slots" JSONB NOT NULL,
    "at_deadline" TEXT NOT NULL,
    "deadline" TIMESTAMPTZ(6) NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled" TIMESTAMPTZ(6),

    CONSTRAINT "task_join_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "task_join_state_check" CHECK ("state" IN ('open', 'complete', 'expired', 'failed', 'cancelled')),
    CONSTRAINT "task_join_at_deadline_check" CHECK ("at_deadline" IN ('run', 'fail')),
    CONSTRAINT "task_join_key_check" CHECK (char_length("name") <= 64 AND char_length("key") <= 500)
);

-- CreateIndex
CREATE UNIQUE INDEX "task_join_seq_key" ON "task_join"("seq");

-- CreateIndex: of one name and key one is open (partial: Prisma's schema cannot say this one)
CREATE UNIQUE INDEX "task_join_open_key" ON "task_join"("name", "key") WHERE "state" = 'open';

-- CreateIndex: lists, the newest first, and the last one of a key
CREATE INDEX "task_join_state_seq_idx" ON "task_join"("state", "seq");
CREATE INDEX "task_join_name_seq_idx" ON "task_join"("name", "seq");
CREATE INDEX "task_join_key_name_seq_idx" ON "task_join"("key", "name", "seq");

-- CreateIndex: what is due, and what can be purged (partial: Prisma's schema cannot say these two)
CREATE INDEX "task_join_deadline_idx" ON "task_join"("deadline") WHERE "state" = 'open';
CREATE INDEX "task_join_settled_idx" ON "task_join"("settled") WHERE "settled" IS NOT NULL;

-- CreateTable: which event fills which slot, by its task
CREATE TABLE "task_join_slot" (
    "join_id" UUID NOT NULL,
    "slot" TEXT NOT NULL,
    "task" UUID NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_join_slot_pkey" PRIMARY KEY ("join_id","slot")
);

-- CreateIndex
CREATE UNIQUE INDEX "task_join_slot_task_key" ON "task_join_slot"("task");

-- AddForeignKey
ALTER TABLE "task_join_slot" ADD CONSTRAINT "task_join_slot_join_id_fkey" FOREIGN KEY ("join_id") REFERENCES "task_join"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey: an event is there for as long as its join may be run again
ALTER TABLE "task_join_slot" ADD CONSTRAINT "task_join_slot_task_fkey" FOREIGN KEY ("task") REFERENCES "task"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A dry run is nobody's delivery, and told to nobody. What runs a join is told to all who brought an event for it.
CREATE OR REPLACE FUNCTION "task_changed"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."kind" = 'dry-run' THEN
        RETURN NULL;
    END IF;
    PERFORM "task_outbox_add"(NEW, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('deliveryId', d."delivery", 'replay', d."replay")
                                  ORDER BY d."created", d."delivery"), '[]')
        FROM "task_delivery" d
        WHERE d."task" = ANY (ARRAY[NEW."id"] || ARRAY(SELECT t."id" FROM "task" t WHERE t."joined" = NEW."join_run"))));
    RETURN NULL;
END $$;
