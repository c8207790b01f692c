import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type Database } from "../../src/database.ts";
import { openAuthority } from "../../src/gateway/authority.ts";
import { createAuthorityStore } from "../../src/gateway/authority-store.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SecretUnreadableError } from "../../src/secrets/secret-cipher.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const cipher = createLocalCipher(new Secret(newMasterKey()));
let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createTestDatabase();
  database = createDatabase(server.url, () => undefined);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

describe("the authority of an installation", () => {
  it("is one, whoever asks first, and its key is unreadable in the database", async () => {
    const store = createAuthorityStore(database.prisma);
    const opened = await Promise.all([1, 2, 3].map(() => openAuthority(store, cipher)));
    expect(new Set(opened.map(({ certificatePem }) => certificatePem)).size).toBe(1);
    expect((await openAuthority(store, cipher)).certificatePem).toBe(opened[0]?.certificatePem);
    const { rows } = await database.pool.query("SELECT certificate, private_key FROM gateway_authority");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows) + String(rows[0]?.private_key)).not.toContain("PRIVATE KEY");
    const other = createLocalCipher(new Secret(randomBytes(32).toString("base64")));
    await expect(openAuthority(store, other)).rejects.toThrow(SecretUnreadableError);
  });
});
