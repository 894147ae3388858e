-- A user's events, newest first, however many subscriptions they have.
CREATE INDEX "delivery_owner" ON "delivery" ("owner", "received" DESC, "event" DESC);
