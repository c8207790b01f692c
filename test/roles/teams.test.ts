import { describe, expect, it } from "vitest";
import { isFileAddress } from "../../bots/teams/file-hosts.ts";
import { loadConfig } from "../../src/config.ts";
import { fileHosts } from "../../src/roles/teams.ts";

const APP = { MICROSOFT_APP_ID: "app", MICROSOFT_APP_PASSWORD: "p", MICROSOFT_APP_TENANT_ID: "t" };

function isTaken(env: Record<string, string>, address: string): boolean {
  const { teams } = loadConfig("/srv", env);
  if (!teams) throw new Error("There is no Teams.");
  return isFileAddress(address, fileHosts(teams));
}

describe("where files go to and come from", () => {
  const HERE = ["http://127.0.0.1:5001/upload", "http://localhost:5001/a", "https://[::1]/a"];

  it.each(HERE)("is this machine in the anonymous mode, and in no other: %s", (address) => {
    expect(isTaken({ TEAMS_ALLOW_ANONYMOUS: "1" }, address)).toBe(true);
    expect(isTaken(APP, address)).toBe(false);
  });

  it.each([
    "http://127.0.0.1.example.com/a",
    "http://192.168.1.2/a",
    "http://169.254.169.254/latest",
    "http://user@127.0.0.1/a",
    "ftp://127.0.0.1/a",
    "file://localhost/etc/passwd",
  ])("is never %s", (address) => {
    expect(isTaken({ TEAMS_ALLOW_ANONYMOUS: "1" }, address)).toBe(false);
  });

  it("is the origin of another Graph, and nothing beside it", () => {
    const env = { ...APP, TEAMS_GRAPH_URL: "http://127.0.0.1:5001/graph/v1.0" };
    expect(isTaken(env, "http://127.0.0.1:5001/upload")).toBe(true);
    expect(isTaken(env, "http://127.0.0.1:5002/upload")).toBe(false);
  });
});
