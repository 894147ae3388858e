-- CreateIndex: lists of what is rare, the newest first. Sources may be long, so their beginning is indexed (Prisma's schema cannot say these)
CREATE INDEX "task_source_idx" ON "task"(left("source", 200), "seq");
CREATE INDEX "task_kind_idx" ON "task"("kind", "seq") WHERE "kind" <> 'event';
