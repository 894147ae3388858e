-- Signing secrets of a subscription, newest first: [{"secret": sealed, "created": time, "until": time or null}]. The one
-- without an end is the current one; those that were rotated out go on signing until theirs.
-- `expression_failures`: how often in a row the expression could not be evaluated; ten disable the subscription.
ALTER TABLE "eventmatch"
    ADD COLUMN "signing" JSONB,
    ADD COLUMN "expression_failures" INTEGER NOT NULL DEFAULT 0;
CREATE INDEX "eventmatch_expression_failing" ON "eventmatch" ("uuid")
    WHERE "expression_failures" > 0 AND "disabled" IS NULL;

-- Re-enabling a subscription finds what was held without reading all that it ever got.
CREATE INDEX "delivery_held" ON "delivery" ("subscription") WHERE "state" = 'held';

-- From now on every delivery that is not settled has a `due`: whatever it waits for (policy, its subscription being
-- enabled), it is looked at again then, should the event that releases it ever be missed.
UPDATE "delivery" SET "due" = now() WHERE "due" IS NULL AND "state" IN ('pending', 'held');
