-- Nobody looks for events by their sequence: it orders those with the same source and id, in `eventlog_identity`. By itself,
-- so that events are locked for a moment only, and not while another index is made.
DROP INDEX "eventlog_sequence";
