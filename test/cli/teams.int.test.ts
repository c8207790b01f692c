import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GRAPH_NEEDS } from "../../src/cli/checks/teams.ts";
import { startFakeTeams, type FakeTeams } from "../fakes/teams-connector.ts";

const MAIN = path.join(import.meta.dirname, "../../src/cli/main.ts");
const APP_ID = "11111111-1111-4111-8111-111111111111";
let folder: string;
let teams: FakeTeams;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "deckhand-teams-"));
  teams = await startFakeTeams();
});
afterAll(async () => {
  await teams.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function deckhand(args: string[], settings: Record<string, string> = {}): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: folder, DECKHAND_HOME: folder, ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, "teams", ...args], { env, cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** By the archive's directory at its end, as programs that open archives do it. */
function unzipped(archive: Buffer): Map<string, Buffer> {
  const end = archive.lastIndexOf("PK\u0005\u0006", undefined, "latin1");
  let at = archive.readUInt32LE(end + 16);
  const files = new Map<string, Buffer>();
  for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
    expect(archive.toString("latin1", at, at + 4)).toBe("PK\u0001\u0002");
    const [bytes, nameBytes] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28)];
    const name = archive.toString("utf8", at + 46, at + 46 + nameBytes);
    const local = archive.readUInt32LE(at + 42);
    expect(archive.toString("latin1", local, local + 4)).toBe("PK\u0003\u0004");
    const content = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    files.set(name, archive.subarray(content, content + bytes));
    expect(crc32(archive.subarray(content, content + bytes))).toBe(archive.readUInt32LE(at + 16));
    at += 46 + nameBytes;
  }
  return files;
}

describe("deckhand teams package", () => {
  it("writes a zip with the manifest and both icons", async () => {
    const url = "https://deckhand.example.com";
    const ended = await deckhand(["package", "--url", url, "--out", "app.zip", "--name", "Crew"], {
      MICROSOFT_APP_ID: APP_ID,
    });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const files = unzipped(await readFile(path.join(folder, "app.zip")));
    expect([...files.keys()]).toEqual(["manifest.json", "outline.png", "color.png"]);
    const icon = new URL("../../bots/teams/icons/color.png", import.meta.url);
    expect(files.get("color.png")?.equals(await readFile(icon))).toBe(true);
    const manifest = JSON.parse(String(files.get("manifest.json")));
    expect(manifest).toMatchObject({ id: APP_ID, name: { short: "Crew" }, validDomains: ["deckhand.example.com"] });
  });

  it.each([
    [["package"], /--url is missing/],
    [["package", "--url", "http://deckhand.example.com", "--app-id", APP_ID], /not an https/],
    [["package", "--url", "https://deckhand.example.com"], /MICROSOFT_APP_ID is not set/],
    [["package", "--url", "https://deckhand.example.com", "--app-id", "bot"], /no app id/],
    [["package", "--url", "https://deckhand.example.com", "--app-id", APP_ID, "--version", "1"], /three numbers/],
    [["pack"], /package or check/],
  ])("%j says what is wrong", async (args, words) => {
    const ended = await deckhand(args);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(words);
  });
});

describe("deckhand teams check", () => {
  const settings = (more: Record<string, string> = {}) => ({
    MICROSOFT_APP_ID: teams.appId,
    MICROSOFT_APP_PASSWORD: teams.appPassword,
    MICROSOFT_APP_TENANT_ID: teams.tenantId,
    TEAMS_LOGIN_URL: teams.loginUrl,
    TEAMS_OPENID_METADATA_URL: teams.openIdMetadataUrl,
    TEAMS_GRAPH_URL: teams.graphUrl,
    TEAMS_PORT: "1",
    ...more,
  });
  const findings = async (more?: Record<string, string>) => {
    const { stdout, code } = await deckhand(["check", "--json"], settings(more));
    const found: { subject: string; state: string; detail: string }[] = JSON.parse(stdout).findings;
    return { code, of: (subject: string) => found.filter((each) => each.subject === subject) };
  };

  it("finds that Microsoft takes the credentials, and that nothing listens", async () => {
    const { code, of } = await findings();
    expect(of("Credentials")).toMatchObject([{ state: "ok" }]);
    expect(of("Endpoint")).toMatchObject([{ state: "missing", detail: expect.stringContaining("nothing listens") }]);
    expect(of("Graph")).toMatchObject([{ state: "ok", detail: expect.stringContaining("off") }]);
    expect(code).toBe(1);
  });

  it("finds that a password is refused, without repeating it", async () => {
    const { stdout } = await deckhand(["check"], settings({ MICROSOFT_APP_PASSWORD: "not-the-password" }));
    expect(stdout).toMatch(/missing\s+Credentials/);
    expect(stdout).not.toContain("not-the-password");
  });

  it("says of each thing that Graph is asked for whether it is permitted", async () => {
    const stateOf = async (words: string) => {
      const { of } = await findings({ TEAMS_GRAPH: "1" });
      expect(of("Graph")).toHaveLength(GRAPH_NEEDS.length);
      return of("Graph").find(({ detail }) => detail.startsWith(words))?.state;
    };
    teams.permit("User.Read.All");
    expect(await stateOf("people by Entra group: nobody is let in")).toBe("cannot_tell");
    teams.permit("GroupMember.Read.All");
    expect(await stateOf("people by Entra group, by User.Read.All and GroupMember.Read.All")).toBe("ok");
  });

  it("says what to set when nothing is", async () => {
    const { stdout, code } = await deckhand(["check"]);
    expect(stdout).toContain("MICROSOFT_APP_ID is not set");
    expect(code).toBe(1);
  });
});
