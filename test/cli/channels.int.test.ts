import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import { openDatabase } from "../../src/roles/open-database.ts";
import { SILENT } from "../support/silent-log.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const run = promisify(execFile);

/** As a server of this home has it open, on embedded Postgres. */
let server: Awaited<ReturnType<typeof openDatabase>>;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "deckhand-channels-"));
  server = await openDatabase({ databaseUrl: null, home }, SILENT, AbortSignal.any([]));
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true });
});

async function deckhand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env["PATH"], DECKHAND_HOME: home };
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const place = "slack:T01:C01";
const policyOf = () => createDatabaseChatRecords(server.database).policies.of(place);

describe("deckhand channels", () => {
  it("on the database of a server that runs, sets what is named, keeps the rest, takes back what is to be inherited, and puts it on record", async () => {
    await deckhand("channels", "set", "slack:T01", "--mode", "mention-only", "--monthly-budget", "100");
    const first = await deckhand(
      "channels",
      "set",
      place,
      "--allow-users",
      "U1, U2",
      "--monthly-budget",
      "none",
      "--json",
    );
    expect(JSON.parse(first.stdout)).toEqual({ place, settings: { allowUsers: ["U1", "U2"], monthlyBudgetUsd: null } });
    expect(await policyOf()).toMatchObject({ mode: "mention_only", monthlyBudgetUsd: null, allowUsers: ["U1", "U2"] });

    await deckhand("channels", "set", place, "--monthly-budget", "inherit", "--allow-guests", "yes");
    expect(await policyOf()).toMatchObject({ monthlyBudgetUsd: 100, allowGuests: true, allowUsers: ["U1", "U2"] });

    const shown = await deckhand("channels", "show", place);
    expect(shown.stdout).toMatch(/monthlyBudgetUsd +100 +\(from slack:T01\)/);
    expect(shown.stdout).toMatch(/allowGuests +yes\n/);
    const listed = await deckhand("channels", "list", "--json");
    expect(JSON.parse(listed.stdout)).toHaveLength(2);

    expect((await deckhand("channels", "unset", place)).stdout).toContain("inherits everything");
    expect((await policyOf()).allowUsers).toEqual([]);
    const audit = await deckhand("audit", "--place", place, "--json");
    const entries = audit.stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({ action: "policy_changed", place, detail: { after: null } });
    expect(entries[2]).toMatchObject({ detail: { before: {}, after: { allowUsers: ["U1", "U2"] } } });
    expect((await deckhand("audit", "--limit", "1")).stdout.trim().split("\n")).toHaveLength(1);
  });

  it("tells agents that nobody may choose of from agents that nothing is said of", async () => {
    const agentsShown = async () => /agents {2,}(.*)/.exec((await deckhand("channels", "show", place)).stdout)?.[1];
    await deckhand("channels", "set", place, "--agents", "agent_1,agent_2");
    expect((await policyOf()).agents).toEqual(["agent_1", "agent_2"]);
    await deckhand("channels", "set", place, "--agents", "none");
    expect(await agentsShown()).toBe("none");
    await deckhand("channels", "set", place, "--agents", "inherit");
    expect(await agentsShown()).toMatch(/^any/);
    await deckhand("channels", "unset", place);
  });

  it("takes the vaults of a place, and takes them back", async () => {
    await deckhand("channels", "set", place, "--vaults", "vlt_1, vlt_2");
    expect((await policyOf()).vaultIds).toEqual(["vlt_1", "vlt_2"]);
    await deckhand("channels", "set", place, "--vaults", "none");
    expect((await policyOf()).vaultIds).toEqual([]);
    await deckhand("channels", "unset", place);
  });

  it.each([
    [["channels"], /list, show, set or unset/],
    [["channels", "set"], /nothing to set/],
    [["channels", "set", "--mode", "thread"], /name a place.*slack:T0123.*teams:TENANT:/],
    [["channels", "set", "general", "--mode", "thread"], /slack:T0123:C0456/],
    [["channels", "set", place, "--mode", "loud"], /--mode is thread or mention_only, or inherit; "loud" is not/],
    [["channels", "set", place, "--monthly-budget", "-1"], /--monthly-budget/],
    [["channels", "set", place, "--monthly-budget", "ten"], /--monthly-budget/],
    [["channels", "set", place, "--approval-minutes", "0"], /--approval-minutes/],
    [["channels", "set", place, "--allow-guests", "maybe"], /--allow-guests is yes or no/],
    [["channels", "set", place, "--allow-users", "U1,,U2"], /--allow-users/],
    [["channels", "set", place, "--agent", ""], /--agent/],
    [["channels", "set", place, "--vaults", "vlt_1,"], /--vaults is a list of vault ids/],
    [["audit", "--limit", "0"], /--limit/],
    [["audit", "--place", "here"], /is no place/],
  ])("%j is refused with what would be right, and changes nothing", async (args, words) => {
    const { code, stderr } = await deckhand(...args);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });
});
