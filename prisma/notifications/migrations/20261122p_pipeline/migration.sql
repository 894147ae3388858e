-- Events whose matching was begun too often are few, and looked for with every batch: not among all that are new.
CREATE INDEX "eventlog_match_alone" ON "eventlog" ("match_due") WHERE "state" = 'new' AND "match_begun" >= 3;
