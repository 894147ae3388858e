-- CreateIndex: the first event that waits, which the deadlines of joins ask for (partial: Prisma's schema cannot say this one)
CREATE INDEX "task_waiting_created_idx" ON "task"("created") WHERE "state" = 'waiting' AND "kind" IN ('event', 'retry');
