-- Every change of a task that others may want to know, in the transaction that makes it. A trigger writes it, so that no
-- statement can forget to. What has been published is deleted.
CREATE TABLE "task_outbox" (
    "seq" BIGSERIAL NOT NULL,
    "task" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "deliveries" JSONB NOT NULL,
    "snapshot" JSONB NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "due" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "task_outbox_pkey" PRIMARY KEY ("seq")
);

-- CreateIndex: the oldest of a task goes first
CREATE INDEX "task_outbox_task_seq_idx" ON "task_outbox"("task", "seq");

-- The task's row is locked by whoever changes it, up to the commit: of one task, a greater seq is a later change.
-- The snapshot leaves out what is large; columns that come later are in it by themselves.
CREATE FUNCTION "task_outbox_add"("seen" "task", "told" JSONB) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    "seen"."event" := '';
    "seen"."exception_traceback" := '';
    INSERT INTO "task_outbox" ("task", "state", "deliveries", "snapshot")
    VALUES ("seen"."id", "seen"."state", "told", to_jsonb("seen"));
END $$;

-- A change of the task is told to all of its deliveries.
CREATE FUNCTION "task_changed"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    PERFORM "task_outbox_add"(NEW, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('deliveryId', d."delivery", 'replay', d."replay")
                                  ORDER BY d."created", d."delivery"), '[]')
        FROM "task_delivery" d WHERE d."task" = NEW."id"));
    RETURN NULL;
END $$;

-- A delivery that joins a task is told what the task has come to, alone: a thousand that join must not tell each other.
-- The lock makes it wait for a change that is being made, and see it.
CREATE FUNCTION "task_joined"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    "mine" JSONB := jsonb_build_array(jsonb_build_object('deliveryId', NEW."delivery", 'replay', NEW."replay"));
    "seen" "task";
BEGIN
    PERFORM FROM "task_outbox" o
    WHERE o."task" = NEW."task" AND o.xmin = pg_current_xact_id()::xid AND o."deliveries" @> "mine";
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO "seen" FROM "task" t WHERE t."id" = NEW."task" FOR NO KEY UPDATE;
    IF FOUND THEN
        PERFORM "task_outbox_add"("seen", "mine");
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER "task_added" AFTER INSERT ON "task"
    FOR EACH ROW EXECUTE FUNCTION "task_changed"();

-- Not the heartbeat, not the progress.
CREATE TRIGGER "task_changed" AFTER UPDATE ON "task"
    FOR EACH ROW
    WHEN (OLD."state" IS DISTINCT FROM NEW."state" OR OLD."attempts" IS DISTINCT FROM NEW."attempts"
          OR OLD."bundles" IS DISTINCT FROM NEW."bundles")
    EXECUTE FUNCTION "task_changed"();

CREATE TRIGGER "task_joined" AFTER INSERT ON "task_delivery"
    FOR EACH ROW EXECUTE FUNCTION "task_joined"();
