-- One lane for each subscription that has deliveries: claims look at lanes first, so that a long backlog is one row.
-- `next_due`: when the lane deserves a look, null: not before somebody says so. It only hints, deliveries are the truth.
-- `ramp`: how many requests may be in flight while a target comes back, null: as many as the caps allow.
-- `turn`: counts deliveries taken, modulo 16, for the share of retries.
CREATE TABLE "lane" (
    "subscription" UUID NOT NULL PRIMARY KEY REFERENCES "eventmatch" ("uuid"),
    "owner" VARCHAR(255) NOT NULL,
    "host" TEXT NOT NULL,
    "cap" INTEGER,
    "ramp" INTEGER,
    "turn" SMALLINT NOT NULL DEFAULT 0,
    "next_due" TIMESTAMPTZ
);
CREATE INDEX "lane_due" ON "lane" ("next_due") WHERE "next_due" IS NOT NULL;

-- Claims take turns: whoever's snapshot is older than the last claim looks again, so that no cap is ever exceeded.
CREATE TABLE "claim_turn" (
    "only" BOOLEAN NOT NULL PRIMARY KEY DEFAULT true CHECK ("only"),
    "turn" BIGINT NOT NULL DEFAULT 0
);
INSERT INTO "claim_turn" DEFAULT VALUES;

-- Retries and first attempts of a subscription, each in the order in which they are due. It takes the place of an index
-- over all that is due.
CREATE INDEX "delivery_lane" ON "delivery" ("subscription", least("attempt", 1), "due") WHERE "due" IS NOT NULL;
DROP INDEX "delivery_due";
