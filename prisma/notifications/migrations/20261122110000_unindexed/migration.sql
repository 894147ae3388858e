-- Whether events find the subscription by an index. NULL: a row of before, which nobody has looked at yet.
ALTER TABLE "eventmatch" ADD COLUMN "indexed" BOOLEAN;

-- Those that are evaluated on every event are few, and counted when another one is added.
CREATE INDEX "eventmatch_unindexed" ON "eventmatch" ("user") WHERE NOT "indexed" AND "deleted" IS NULL;
CREATE INDEX "eventmatch_unsorted" ON "eventmatch" ("uuid") WHERE "indexed" IS NULL AND "deleted" IS NULL;
