-- A delivery of an event whose join has run already is told what became of the run too: of its later changes it is told
-- like the others, but there may be none. After the event's task, so that the run is the newest that is known of it.
CREATE OR REPLACE FUNCTION "task_joined"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    "mine" JSONB := jsonb_build_array(jsonb_build_object('deliveryId', NEW."delivery", 'replay', NEW."replay"));
    "seen" "task";
    "run" "task";
BEGIN
    PERFORM FROM "task_outbox" o
    WHERE o."task" = NEW."task" AND o.xmin = pg_current_xact_id()::xid AND o."deliveries" @> "mine";
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO "seen" FROM "task" t WHERE t."id" = NEW."task" FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM "task_outbox_add"("seen", "mine");
    IF "seen"."joined" IS NOT NULL THEN
        SELECT * INTO "run" FROM "task" t
        WHERE t."join_run" = "seen"."joined" AND t."kind" <> 'dry-run' ORDER BY t."seq" DESC LIMIT 1 FOR NO KEY UPDATE;
        IF FOUND THEN
            PERFORM "task_outbox_add"("run", "mine");
        END IF;
    END IF;
    RETURN NULL;
END $$;
