-- CreateTable
CREATE TABLE "workspaces" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workspaces_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agents" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "metadata" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "agents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent_versions" (
    "agent_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "config" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_versions_pkey" PRIMARY KEY ("agent_id","version")
);

-- CreateTable
CREATE TABLE "environments" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "config" JSONB NOT NULL,
    "metadata" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "environments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "agent_version" INTEGER NOT NULL,
    "agent" JSONB NOT NULL,
    "environment_id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "title" TEXT,
    "metadata" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'idle',
    "last_seq" INTEGER NOT NULL DEFAULT 0,
    "queued_count" INTEGER NOT NULL DEFAULT 0,
    "usage" JSONB NOT NULL,
    "active_ms" INTEGER NOT NULL DEFAULT 0,
    "running_since" TIMESTAMPTZ(3),
    "lease_epoch" INTEGER NOT NULL DEFAULT 0,
    "lease_owner" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "wake_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "session_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "private" JSONB,
    "processed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("session_id","seq")
);

-- CreateTable
CREATE TABLE "queued_events" (
    "id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "arrival" BIGSERIAL NOT NULL,
    "type" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "queued_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session_resources" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "file_id" TEXT NOT NULL,
    "mount_path" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "session_resources_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "files" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "filename" TEXT NOT NULL,
    "mime_type" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "blob_key" TEXT NOT NULL,
    "preview_key" TEXT,
    "session_id" TEXT,
    "downloadable" BOOLEAN NOT NULL,
    "output_path" TEXT,
    "output_mtime_ns" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "files_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sandboxes" (
    "session_id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "ref" TEXT NOT NULL,
    "image" TEXT NOT NULL,
    "mounted" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sandboxes_pkey" PRIMARY KEY ("session_id")
);

-- CreateTable
CREATE TABLE "chat_threads" (
    "key" TEXT NOT NULL,
    "surface" TEXT NOT NULL,
    "session_id" TEXT,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "creator" TEXT,
    "creator_until" TIMESTAMPTZ(3),
    "tried_since" TIMESTAMPTZ(3),
    "cursor_id" TEXT,
    "cursor_at" TEXT,
    "wakes" INTEGER NOT NULL DEFAULT 0,
    "delivered_wake" INTEGER NOT NULL DEFAULT 0,
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_threads_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "chat_deliveries" (
    "chat_thread_key" TEXT NOT NULL,
    "item" TEXT NOT NULL,
    "file_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "ref" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "posted_at" TIMESTAMPTZ(3),

    CONSTRAINT "chat_deliveries_pkey" PRIMARY KEY ("chat_thread_key","item")
);

-- CreateTable
CREATE TABLE "chat_inbound" (
    "chat_thread_key" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "claimed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "settled_at" TIMESTAMPTZ(3),
    "event_id" TEXT,

    CONSTRAINT "chat_inbound_pkey" PRIMARY KEY ("chat_thread_key","message_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_hash_key" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "agents_workspace_id_created_at_id_idx" ON "agents"("workspace_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "environments_workspace_id_created_at_id_idx" ON "environments"("workspace_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_thread_id_key" ON "sessions"("thread_id");

-- CreateIndex
CREATE INDEX "sessions_workspace_id_created_at_id_idx" ON "sessions"("workspace_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "events_id_key" ON "events"("id");

-- CreateIndex
CREATE INDEX "queued_events_session_id_arrival_idx" ON "queued_events"("session_id", "arrival");

-- CreateIndex
CREATE UNIQUE INDEX "session_resources_session_id_mount_path_key" ON "session_resources"("session_id", "mount_path");

-- CreateIndex
CREATE INDEX "files_workspace_id_created_at_id_idx" ON "files"("workspace_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "files_session_id_idx" ON "files"("session_id");

-- CreateIndex
CREATE INDEX "files_blob_key_idx" ON "files"("blob_key");

-- CreateIndex
CREATE UNIQUE INDEX "chat_threads_session_id_key" ON "chat_threads"("session_id");

-- AddForeignKey
ALTER TABLE "agent_versions" ADD CONSTRAINT "agent_versions_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "events" ADD CONSTRAINT "events_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "queued_events" ADD CONSTRAINT "queued_events_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session_resources" ADD CONSTRAINT "session_resources_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chat_deliveries" ADD CONSTRAINT "chat_deliveries_chat_thread_key_fkey" FOREIGN KEY ("chat_thread_key") REFERENCES "chat_threads"("key") ON DELETE CASCADE ON UPDATE CASCADE;



-- What follows is out of the reach of the Prisma schema.

-- Every append updates its session's row. The row stays short, with the agent beside it, and has room on its page for its
-- next version, so that an update writes little and touches no index.
ALTER TABLE "sessions" SET (fillfactor = 50, toast_tuple_target = 256);

-- The sweeper's question: who has input that nobody took up, or a harness that stopped renewing its lease?
CREATE INDEX "sessions_runnable_idx" ON "sessions" ("lease_expires_at") WHERE "queued_count" > 0 OR "status" IN ('running', 'rescheduling');

-- The chat sweeper's question: which thread was woken and not delivered since?
CREATE INDEX "chat_threads_undelivered_idx" ON "chat_threads" ("lease_until") WHERE "wakes" > "delivered_wake";

-- The log is append-only. Rows go only with their session.
CREATE FUNCTION refuse_event_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only (session %, seq %)', OLD.session_id, OLD.seq;
END $$;
CREATE TRIGGER "events_append_only" BEFORE UPDATE ON "events" FOR EACH ROW EXECUTE FUNCTION refuse_event_update();
