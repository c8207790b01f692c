ALTER TABLE "sessions" ADD COLUMN "held_count" INTEGER NOT NULL DEFAULT 0;

-- What waits for a person's decision is no work: the sweeper's question leaves it out.
DROP INDEX "sessions_runnable_idx";
CREATE INDEX "sessions_runnable_idx" ON "sessions" ("lease_expires_at") WHERE "queued_count" > "held_count" OR "status" IN ('running', 'rescheduling');
