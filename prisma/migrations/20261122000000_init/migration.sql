
-- What follows is out of the reach of the Prisma schema.

-- The sweeper's question: who has input that nobody took up, or a harness that stopped renewing its lease?
CREATE INDEX "sessions_runnable_idx" ON "sessions" ("lease_expires_at") WHERE "queued_count" > 0 OR "status" IN ('running', 'rescheduling');

-- The log is append-only. Rows go only with their session.
CREATE FUNCTION refuse_event_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only (session %, seq %)', OLD.session_id, OLD.seq;
END $$;
CREATE TRIGGER "events_append_only" BEFORE UPDATE ON "events" FOR EACH ROW EXECUTE FUNCTION refuse_event_update();
