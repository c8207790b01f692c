import { fileURLToPath } from "node:url";
import { defineConfig } from "prisma/config";

// Set here, where the Prisma CLI finds it, so that plain `prisma …` commands need no environment. An engine that is
// configured already, such as the native one, is kept.
process.env["PRISMA_SCHEMA_ENGINE_BINARY"] ??= fileURLToPath(new URL("./prisma/schema-engine.mjs", import.meta.url));

const url = process.env["DATABASE_URL"];

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  // `generate` needs no database.
  ...(url && { datasource: { url } }),
});
