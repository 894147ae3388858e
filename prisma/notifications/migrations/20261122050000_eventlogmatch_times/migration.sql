-- The last naive time: it is read in the session's time zone, like the others (dbsync sets it from --timezone).
ALTER TABLE "eventlogmatch" ALTER COLUMN "created" TYPE TIMESTAMPTZ;
