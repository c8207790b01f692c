import { expect } from "vitest";
import { provokeErrors } from "./support/api-errors.ts";
import { attemptsIn } from "./support/attempt.ts";
import type { Planted } from "./support/planted.ts";
import { recordOfRequests, scanApi, scanDatabase, scanFiles, scanSandboxes, type Scanned } from "./support/scans.ts";

/** What the API says of what it was sent, or was told by others. */
export function attemptAnswersOfApi(planted: () => Planted): void {
  const attempt = attemptsIn("api");
  attempt("tokens for MCP servers, given back by the server", "stars", async () => {
    const { world, oauthId, vaultId } = planted();
    const validation = await world.client.beta.vaults.credentials.mcpOAuthValidate(oauthId, { vault_id: vaultId });
    const said = JSON.stringify(validation);
    expect(said).toContain("****");
    nothing(texts([said], planted()), "answers");
    return "stars";
  });

  attempt("errors of the API about secrets", "nothing", async () => {
    const { world, vaultId, main, credentialId } = planted();
    const said = await provokeErrors(world.client, { vaultId, sessionId: main.id, credentialId }, world.canaries);
    return nothing(texts(said, planted()), "errors");
  });
}

/** After everything: is there a canary anywhere? */
export function attemptScans(planted: () => Planted): void {
  const attempt = attemptsIn("scan");
  attempt("events, sessions, vaults and all else of the API", "nothing", async () =>
    nothing(await scanApi(planted().world.client, planted().world.canaries), "objects"),
  );

  attempt("what the model was sent", "nothing", async () =>
    nothing(
      texts(
        planted().world.home.model.requests.map((request) => JSON.stringify(request)),
        planted(),
      ),
      "requests",
    ),
  );

  attempt("the tables of the database", "nothing", async () =>
    nothing(await scanDatabase(await planted().world.home.database.url(), planted().world.canaries), "rows"),
  );

  attempt("the record of requests", "paths without queries", async () => {
    const rows = await recordOfRequests(await planted().world.home.database.url());
    expect(rows.filter(({ path }) => path?.includes("?"))).toEqual([]);
    expect([...new Set(rows.map(({ decision }) => decision))].sort()).toEqual(["allow", "deny"]);
    expect(rows.some(({ credential_ids }) => credential_ids.includes(planted().credentialId))).toBe(true);
    return `${rows.length} rows without a query`;
  });

  attempt("what processes printed at the level trace", "nothing", async () => {
    const { roles, canaries } = planted().world;
    const printed = [...(await roles.printed())];
    const found = printed.flatMap(([role, bytes]) => canaries.findIn(bytes).map((kind) => `${role}: ${kind}`));
    expect(printed.filter(([, bytes]) => bytes.length === 0)).toEqual([]);
    return nothing({ looked: printed.reduce((sum, [, bytes]) => sum + bytes.length, 0), found }, "bytes");
  });

  attempt("every sandbox, from outside", "nothing", async () =>
    nothing(
      await scanSandboxes(planted().world.home.home, planted().world.canaries.mark, planted().leaving.id),
      "containers",
    ),
  );

  attempt("the files of the home, the database's own and disks too", "nothing", async () =>
    nothing(await scanFiles(planted().world.home.home, planted().world.canaries), "files"),
  );

  attempt("temporary files of the processes", "nothing", async () => {
    const { looked, found } = await scanFiles(planted().world.home.temp, planted().world.canaries);
    expect(found).toEqual([]);
    return `nothing in ${looked} files`;
  });
}

const texts = (all: readonly string[], { world }: Planted): Scanned => ({
  looked: all.length,
  found: all.filter((text) => world.canaries.findIn(Buffer.from(text)).length > 0),
});

function nothing({ looked, found }: Scanned, what: string): string {
  expect(found).toEqual([]);
  expect(looked).toBeGreaterThan(0);
  return `nothing in ${looked} ${what}`;
}
