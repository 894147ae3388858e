-- Attempts are looked for by their delivery alone: its index is the primary key.
ALTER TABLE "attempt" DROP CONSTRAINT "attempt_pkey", ADD CONSTRAINT "attempt_pkey" PRIMARY KEY ("delivery", "id");
DROP INDEX "attempt_delivery";
