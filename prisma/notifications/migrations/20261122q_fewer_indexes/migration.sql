-- Each index costs every event two entries, one when it is stored and one when it is matched. Nobody looks for events by
-- their sequence: it orders those with the same source and id, in `eventlog_identity`.
DROP INDEX "eventlog_sequence";

-- Attempts are looked for by their delivery alone: its index is the primary key.
ALTER TABLE "attempt" DROP CONSTRAINT "attempt_pkey", ADD CONSTRAINT "attempt_pkey" PRIMARY KEY ("delivery", "id");
DROP INDEX "attempt_delivery";
