-- Messages that nobody took, moved out of the queue pacifica.dead. `key` is the same whenever the broker offers a message
-- again. A queue's name has at most 255 bytes; texts of senders are not indexed.
CREATE TABLE "dead_letter" (
  "uuid" UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  "key" TEXT NOT NULL,
  "queue" VARCHAR(255),
  "reason" TEXT,
  "why" TEXT NOT NULL,
  "deaths" INTEGER NOT NULL DEFAULT 1,
  "first_death" TIMESTAMPTZ,
  "last_death" TIMESTAMPTZ,
  "exchange" TEXT NOT NULL,
  "routing_key" TEXT NOT NULL,
  "properties" TEXT NOT NULL,
  "headers" TEXT NOT NULL,
  "body" BYTEA NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'dead',
  "created" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "claim" BIGINT NOT NULL DEFAULT 0,
  "sending_until" TIMESTAMPTZ,
  "error" TEXT,
  "settled" TIMESTAMPTZ,
  "settled_by" VARCHAR(255)
);
CREATE UNIQUE INDEX "dead_letter_key" ON "dead_letter" ("key");
CREATE INDEX "dead_letter_created" ON "dead_letter" ("created" DESC, "uuid" DESC);
CREATE INDEX "dead_letter_state" ON "dead_letter" ("state", "created" DESC, "uuid" DESC);
CREATE INDEX "dead_letter_queue" ON "dead_letter" ("queue", "created" DESC, "uuid" DESC);
