-- A version holds all of an agent that an update can change, so that old versions are shown as they were.
ALTER TABLE "agent_versions" ADD COLUMN "metadata" JSONB;
UPDATE "agent_versions" SET "metadata" = "agents"."metadata" FROM "agents" WHERE "agents"."id" = "agent_versions"."agent_id";
ALTER TABLE "agent_versions" ALTER COLUMN "metadata" SET NOT NULL;
ALTER TABLE "agents" DROP COLUMN "metadata";
