-- CreateTable
CREATE TABLE "teams_conversations" (
    "place" TEXT NOT NULL,
    "reference" JSONB NOT NULL,
    "disabled" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "teams_conversations_pkey" PRIMARY KEY ("place")
);

-- CreateTable
CREATE TABLE "teams_consents" (
    "id" TEXT NOT NULL,
    "chat_thread_key" TEXT NOT NULL,
    "file_id" TEXT NOT NULL,
    "filename" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "activity_id" TEXT,
    "answer" TEXT,
    "upload" BYTEA,
    "settled_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claimed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "teams_consents_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "teams_consents_answer_settled_at_idx" ON "teams_consents"("answer", "settled_at");
