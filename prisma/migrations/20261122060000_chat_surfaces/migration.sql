-- AlterTable
ALTER TABLE "chat_threads" ADD COLUMN     "active_at" TIMESTAMPTZ(3),
ADD COLUMN     "agent_id" TEXT,
ADD COLUMN     "place" TEXT,
ADD COLUMN     "requester" TEXT,
ADD COLUMN     "seen_message_id" TEXT,
ADD COLUMN     "several_people" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "state" TEXT,
ADD COLUMN     "title" TEXT;

-- AlterTable
ALTER TABLE "chat_inbound" ADD COLUMN     "arrival" BIGSERIAL NOT NULL,
ADD COLUMN     "attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "claimed_until" TIMESTAMPTZ(3),
ADD COLUMN     "payload" JSONB,
ADD COLUMN     "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ALTER COLUMN "claimed_at" DROP NOT NULL,
ALTER COLUMN "claimed_at" DROP DEFAULT;

-- CreateTable
CREATE TABLE "chat_receipts" (
    "id" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_receipts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chat_policies" (
    "place" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_policies_pkey" PRIMARY KEY ("place")
);

-- CreateTable
CREATE TABLE "chat_approvals" (
    "tool_use_id" TEXT NOT NULL,
    "chat_thread_key" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "place" TEXT,
    "requester" TEXT,
    "tool_name" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "decision" TEXT,
    "decided_by" TEXT,
    "decided_by_name" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "reason" TEXT,
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "chat_approvals_pkey" PRIMARY KEY ("tool_use_id")
);

-- CreateTable
CREATE TABLE "chat_ratings" (
    "chat_thread_key" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "person" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "rated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_ratings_pkey" PRIMARY KEY ("chat_thread_key","event_id","person")
);

-- CreateTable
CREATE TABLE "chat_spend" (
    "session_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "place" TEXT,
    "requester" TEXT,
    "cost_cents" INTEGER NOT NULL,
    "tokens" BIGINT NOT NULL,

    CONSTRAINT "chat_spend_pkey" PRIMARY KEY ("session_id","month")
);

-- CreateTable
CREATE TABLE "chat_audit" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "action" TEXT NOT NULL,
    "place" TEXT,
    "chat_thread_key" TEXT,
    "session_id" TEXT,
    "person" TEXT,
    "person_name" TEXT,
    "email" TEXT,
    "detail" JSONB NOT NULL,

    CONSTRAINT "chat_audit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chat_paces" (
    "key" TEXT NOT NULL,
    "next_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chat_paces_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "slack_installations" (
    "id" TEXT NOT NULL,
    "enterprise" BOOLEAN NOT NULL,
    "name" TEXT,
    "ciphertext" BYTEA NOT NULL,
    "installed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "slack_installations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "chat_threads_place_active_at_idx" ON "chat_threads"("place", "active_at");

-- CreateIndex
CREATE INDEX "chat_threads_requester_active_at_idx" ON "chat_threads"("requester", "active_at");

-- CreateIndex
CREATE INDEX "chat_inbound_settled_at_arrival_idx" ON "chat_inbound"("settled_at", "arrival");

-- CreateIndex
CREATE INDEX "chat_receipts_received_at_idx" ON "chat_receipts"("received_at");

-- CreateIndex
CREATE INDEX "chat_approvals_chat_thread_key_idx" ON "chat_approvals"("chat_thread_key");

-- CreateIndex
CREATE INDEX "chat_approvals_expires_at_idx" ON "chat_approvals"("expires_at");

-- CreateIndex
CREATE INDEX "chat_spend_place_month_idx" ON "chat_spend"("place", "month");

-- CreateIndex
CREATE INDEX "chat_spend_requester_month_idx" ON "chat_spend"("requester", "month");

-- CreateIndex
CREATE INDEX "chat_audit_at_idx" ON "chat_audit"("at");

-- What follows is out of the reach of the Prisma schema.

-- The approval sweeper's question: which decision has the session not been told of, for want of one or of a connection?
CREATE INDEX "chat_approvals_unsent_idx" ON "chat_approvals" ("expires_at") WHERE "sent_at" IS NULL;
