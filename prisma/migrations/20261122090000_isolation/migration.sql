-- AlterTable
ALTER TABLE "sandboxes" ADD COLUMN     "asleep" TEXT,
ADD COLUMN     "gateway_id" TEXT;

-- AlterTable
ALTER TABLE "session_resources" ADD COLUMN     "repository" JSONB,
ADD COLUMN     "token" BYTEA,
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ALTER COLUMN "file_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "vault_ids" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "vaults" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "metadata" JSONB NOT NULL,
    "data_key" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "vaults_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vault_credentials" (
    "id" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "vault_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "display_name" TEXT,
    "metadata" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "secret" BYTEA,
    "version" INTEGER NOT NULL DEFAULT 1,
    "refreshing_until" TIMESTAMPTZ(3),
    "refresh_refused_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "vault_credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "environment_images" (
    "hash" TEXT NOT NULL,
    "workspace_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "image" TEXT,
    "step" TEXT,
    "error" TEXT,
    "builder" TEXT,
    "builder_until" TIMESTAMPTZ(3),
    "gateway_id" TEXT,
    "networking" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environment_images_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "gateway_requests" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "workspace_id" TEXT NOT NULL,
    "session_id" TEXT,
    "method" TEXT NOT NULL,
    "scheme" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "port" INTEGER NOT NULL,
    "path" TEXT,
    "decision" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "status" INTEGER,
    "bytes_out" BIGINT NOT NULL DEFAULT 0,
    "bytes_in" BIGINT NOT NULL DEFAULT 0,
    "duration_ms" INTEGER NOT NULL DEFAULT 0,
    "credential_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],

    CONSTRAINT "gateway_requests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_authority" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "certificate" TEXT NOT NULL,
    "private_key" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_authority_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "sandboxes_gateway_id_key" ON "sandboxes"("gateway_id");

-- CreateIndex
CREATE INDEX "vaults_workspace_id_created_at_id_idx" ON "vaults"("workspace_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "vault_credentials_vault_id_created_at_id_idx" ON "vault_credentials"("vault_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "environment_images_gateway_id_key" ON "environment_images"("gateway_id");

-- CreateIndex
CREATE INDEX "gateway_requests_session_id_at_idx" ON "gateway_requests"("session_id", "at");

-- CreateIndex
CREATE INDEX "gateway_requests_workspace_id_at_idx" ON "gateway_requests"("workspace_id", "at");

-- AddForeignKey
ALTER TABLE "vault_credentials" ADD CONSTRAINT "vault_credentials_vault_id_fkey" FOREIGN KEY ("vault_id") REFERENCES "vaults"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A vault has one credential that counts for a server or a variable.
CREATE UNIQUE INDEX "vault_credentials_active_key" ON "vault_credentials" ("vault_id", "key") WHERE "archived_at" IS NULL;
