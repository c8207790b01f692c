import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type Database } from "../../src/database.ts";
import { createWorkspaceStore } from "../../src/workspaces/workspace-store.ts";
import { createWorkspaces, newApiKey, type Workspaces } from "../../src/workspaces/workspaces.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let testDatabase: TestDatabase;
let database: Database;
let workspaces: Workspaces;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase(testDatabase.url, () => undefined);
  workspaces = createWorkspaces(createWorkspaceStore(database.prisma));
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

describe("workspaces", () => {
  it("have one default, however many processes make it at once", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => workspaces.ensureDefault()));
    expect(new Set(ids).size).toBe(1);
    expect(await database.prisma.workspace.count()).toBe(1);
  });

  it("are found by a key of theirs, of which only the hash is kept", async () => {
    const workspaceId = await workspaces.ensureDefault();
    const { id, key } = await workspaces.createApiKey(workspaceId, "laptop");
    expect(key).toMatch(/^dk_[\w-]{43}$/);
    expect(await workspaces.findByApiKey(key)).toBe(workspaceId);
    expect(await workspaces.findByApiKey(`${key}x`)).toBeNull();
    const row = await database.prisma.apiKey.findUniqueOrThrow({ where: { id } });
    expect(JSON.stringify(row)).not.toContain(key);
    expect(row.keyHash).toBe(createHash("sha256").update(key).digest("hex"));
  });

  it("take a key that was chosen outside, as often as it is given", async () => {
    const workspaceId = await workspaces.ensureDefault();
    const key = newApiKey();
    await Promise.all([workspaces.ensureApiKey(workspaceId, key), workspaces.ensureApiKey(workspaceId, key)]);
    await workspaces.ensureApiKey(workspaceId, key);
    expect(await workspaces.findByApiKey(key)).toBe(workspaceId);
  });

  it("refuse a key of another workspace, and a revoked one", async () => {
    const workspaceId = await workspaces.ensureDefault();
    const { id, key } = await workspaces.createApiKey(workspaceId, "laptop");
    await expect(workspaces.ensureApiKey("wrkspc_other", key)).rejects.toMatchObject({ code: "conflict" });
    await database.prisma.apiKey.update({ where: { id }, data: { revokedAt: new Date() } });
    expect(await workspaces.findByApiKey(key)).toBeNull();
    await expect(workspaces.ensureApiKey(workspaceId, key)).rejects.toMatchObject({ code: "conflict" });
  });
});
