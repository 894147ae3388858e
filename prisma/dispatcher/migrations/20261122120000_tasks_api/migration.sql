-- AlterTable: tasks that repeat others, what a task weighs, and what a dry run has found
ALTER TABLE "task" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'event',
ADD COLUMN "repeats" UUID,
ADD COLUMN "size" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "comparison" JSONB;
ALTER TABLE "task" ADD CONSTRAINT "task_kind_check" CHECK ("kind" IN ('event', 'retry', 'dry-run'));

-- AlterTable: what a bundle holds
ALTER TABLE "task_upload" ADD COLUMN "manifest" JSONB;

-- CreateIndex: what repeats a task (no foreign key: each of the two is purged when its own time has come)
CREATE INDEX "task_repeats_idx" ON "task"("repeats");

-- CreateIndex: lists, the newest first. Event ids may be long, so their beginning is indexed (Prisma's schema cannot say this one)
CREATE INDEX "task_state_seq_idx" ON "task"("state", "seq");
CREATE INDEX "task_created_idx" ON "task"("created");
CREATE INDEX "task_event_id_idx" ON "task"(left("event_id", 200), "seq");

-- CreateIndex: what can be purged (partial: Prisma's schema cannot say this one)
CREATE INDEX "task_settled_idx" ON "task"("settled") WHERE "settled" IS NOT NULL;

-- A dry run is nobody's delivery, and told to nobody.
CREATE OR REPLACE FUNCTION "task_changed"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."kind" = 'dry-run' THEN
        RETURN NULL;
    END IF;
    PERFORM "task_outbox_add"(NEW, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('deliveryId', d."delivery", 'replay', d."replay")
                                  ORDER BY d."created", d."delivery"), '[]')
        FROM "task_delivery" d WHERE d."task" = NEW."id"));
    RETURN NULL;
END $$;
