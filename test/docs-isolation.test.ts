import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command as channels } from "../src/cli/commands/channels.ts";
import { command as egress } from "../src/cli/commands/egress.ts";
import { command as keys } from "../src/cli/commands/keys.ts";
import { denialLines } from "../src/harness/denied-requests.ts";
import { PACKAGE_MANAGERS } from "../src/environments/environment-config.ts";
import { decide } from "../src/gateway/decision.ts";
import { PACKAGE_HOSTS } from "../src/gateway/package-hosts.ts";
import { SECRETS_CHARS_MAX } from "../src/gateway/sought-secrets.ts";
import { isolationVariables } from "../src/isolation-config.ts";
import { newMasterKey } from "../src/secrets/master-key.ts";
import { Secret } from "../src/secrets/secret.ts";
import { CredentialSettings } from "../src/schemas/credential.ts";
import { CredentialCreateParams } from "../src/schemas/credential-params.ts";
import { DeckhandConfig, EnvironmentCreateParams } from "../src/schemas/environment.ts";
import { SessionEvent } from "../src/schemas/event.ts";
import { ResourceUpdateParams } from "../src/schemas/resource.ts";
import { SecretName } from "../src/schemas/secret-name.ts";
import { SessionUpdateParams } from "../src/schemas/session.ts";
import { CREDENTIALS_MAX } from "../src/vaults/credential-record-store.ts";
import { createPlaceholders } from "../src/vaults/placeholder.ts";
import { rowsOf } from "./support/page-table.ts";

const byText = (a = "", b = "") => (a < b ? -1 : 1);

const ROOT = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const ENVIRONMENTS = read("docs/environments.md");
const VAULTS = read("docs/vaults.md");
const SECURITY = read("docs/security.md");
const PAGES = [ENVIRONMENTS, VAULTS, SECURITY].join("\n");

describe("docs/environments.md", () => {
  it("lists every setting with its default, and no other", () => {
    const defaults: Record<string, unknown> = z.object(isolationVariables).parse({});
    const settings = Object.keys(isolationVariables).map((name) => [
      `\`${name}\``,
      typeof defaults[name] === "number" ? `\`${defaults[name]}\`` : null,
    ]);
    const listed = rowsOf(ENVIRONMENTS, "## Settings").map(([name, value = ""]) => [
      name,
      /^`\d+`$/.test(value) ? value : null,
    ]);
    expect(listed).toEqual(settings);
  });

  it("lists every rule by which the gateway refuses, and no other", () => {
    const union = /export type DenyRule =\n([\s\S]*?);\n/.exec(read("src/gateway/decision.ts"))?.[1] ?? "";
    const rules = [...union.matchAll(/^ {2}\| "([a-z_]+)"/gm)].map(([, rule = ""]) => rule);
    const listed = rowsOf(ENVIRONMENTS, "## When something is refused").map(([rule]) => rule);
    expect(listed.toSorted(byText)).toEqual(rules.map((rule) => `\`${rule}\``).toSorted(byText));
    expect(rulesRefusedWith().filter((rule) => !rules.includes(rule))).toEqual([]);
    expect(rules.length).toBeGreaterThan(5);
  });

  it("quotes a denial as the program and the agent are told of it", () => {
    const target = { host: "evil.example", port: 443 };
    const policy = {
      networking: { type: "limited", allowedHosts: [], packageManagers: false },
      repositories: [],
    } as const;
    const decision = decide(policy, target, { scheme: "tcp", path: null }, []);
    const error = { type: "denied", host: "evil.example", rule: "host_not_allowed" };
    expect(ENVIRONMENTS).toContain(
      JSON.stringify({ error: { ...error, message: "message" in decision && decision.message } }),
    );
    const [line = ""] = denialLines([
      { ...target, method: "CONNECT", scheme: "tcp", path: null, rule: "host_not_allowed" },
    ]);
    expect(ENVIRONMENTS).toContain(`\n${line}\n`);
  });

  it("names the registries, the package managers in their order, and the fields of a machine", () => {
    const registries = ENVIRONMENTS.slice(
      ENVIRONMENTS.indexOf("**Package registries.**"),
      ENVIRONMENTS.indexOf("and the operator's"),
    );
    expect([...registries.matchAll(/`([a-z.]+\.[a-z]+)`/g)].map(([, host]) => host)).toEqual(PACKAGE_HOSTS);
    const managers = PACKAGE_MANAGERS.map((manager) => `\`${manager}\``);
    expect(ENVIRONMENTS).toContain(
      `${managers.slice(0, -1).join(", ")} and ${managers.at(-1)}, installed in this order`,
    );
    const fields = Object.keys(DeckhandConfig.shape).map((field) => `\`${field}\``);
    expect(rowsOf(ENVIRONMENTS, "## The machine").map(([field]) => field)).toEqual(fields);
  });

  it("has requests that the API takes, and states its limits as they are", () => {
    const bodies = [...ENVIRONMENTS.matchAll(/api environments -d '([^']+)'/g)].map(([, body = ""]) => body);
    for (const body of bodies) EnvironmentCreateParams.parse(JSON.parse(body));
    expect(bodies.length).toBeGreaterThan(1);
    const [hosts = 0, packages = 0] = rowsOf(ENVIRONMENTS, "## Limits").map(([, limit]) => Number(limit));
    const limited = (count: number) => ({
      networking: { type: "limited", allowed_hosts: Array.from({ length: count }, (_, n) => `h${n}.example.com`) },
    });
    const npm = (count: number) => ({ packages: { npm: Array.from({ length: count }, (_, n) => `package-${n}`) } });
    expect([limited(hosts), limited(hosts + 1), npm(packages), npm(packages + 1)].map(isTaken)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(ENVIRONMENTS).toContain(`| ${/connectionsMax: (\d+)/.exec(read("src/gateway/gateway.ts"))?.[1]} `);
  });

  it("names events that there are, and options that `egress` has", () => {
    const types = SessionEvent.def.options.map((option) => option.shape.type.value);
    const named = [...PAGES.matchAll(/\b(?:deckhand|session)\.[a-z]+_?[a-z]*\b/g)].map(([name]) => name);
    const events = named.filter((name) => /^(deckhand\.|session\.(error|updated|status))/.test(name));
    expect(events.filter((name) => !types.some((type) => type === name))).toEqual([]);
    expect(events).toContain("deckhand.environment_build");
    const options = [...PAGES.matchAll(/deckhand egress ([^\n`]*)/g)].flatMap(
      ([, args = ""]) => args.match(/--[a-z]+/g) ?? [],
    );
    expect(options.filter((option) => !egress.usage.includes(option))).toEqual([]);
  });
});

describe("docs/vaults.md", () => {
  it("names every type of credential, and the placeholder as it looks", () => {
    for (const { shape } of CredentialSettings.def.options) expect(VAULTS).toContain(`type: "${shape.type.value}"`);
    const placeholder = createPlaceholders(new Secret(newMasterKey()))("sesn_1", "vcrd_1");
    const [, prefix = "", digits = 0] = /`(deckhand_placeholder_)` and (\d+) hex digits/.exec(VAULTS) ?? [];
    expect(placeholder).toMatch(new RegExp(`^${prefix}[0-9a-f]{${digits}}$`));
  });

  it("states the limits as they are", () => {
    const limits = rowsOf(VAULTS, "## Limits").map(([, limit = ""]) => limit);
    const [credentials, vaults, hosts, value = "", together = "", token = ""] = limits;
    expect(Number(credentials)).toBe(CREDENTIALS_MAX);
    const ids = (count: number) => ({ vault_ids: Array.from({ length: count }, (_, n) => `vlt_${n}`) });
    expect([0, 1].map((more) => SessionUpdateParams.safeParse(ids(Number(vaults) + more)).success)).toEqual([
      true,
      false,
    ]);
    expect([0, 1].map((more) => takesCredential({ hosts: Number(hosts) + more }))).toEqual([true, false]);
    const [least, most] = rangeIn(value);
    expect([least - 1, least, most, most + 1].map((chars) => takesCredential({ chars }))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(together).toBe(`${SECRETS_CHARS_MAX.toLocaleString("en")} characters`);
    const [shortest, longest] = rangeIn(token);
    const takesToken = (chars: number) =>
      ResourceUpdateParams.safeParse({ authorization_token: "t".repeat(chars) }).success;
    expect([shortest - 1, shortest, longest, longest + 1].map(takesToken)).toEqual([false, true, true, false]);
  });

  it("names variables that a secret can't have, and commands as they are", () => {
    for (const name of ["PATH", "HOME", "LD_PRELOAD", "HTTPS_PROXY", "NODE_OPTIONS"]) {
      expect(SecretName.safeParse(name).success).toBe(false);
    }
    for (const [, action = ""] of VAULTS.matchAll(/deckhand keys ([a-z]+)/g))
      expect(keys.usage).toContain(`deckhand keys ${action}`);
    expect(VAULTS).toContain("--vaults");
    expect(channels.usage).toContain("--vaults ID,…          The vaults whose credentials they may use");
  });
});

describe("docs/security.md", () => {
  it("names files that there are", () => {
    const cells = [...SECURITY.matchAll(/^\|.*\|$/gm)].flatMap(([row]) => row.split("|").slice(-2, -1));
    const files = cells.flatMap((cell) => {
      const names = [...cell.matchAll(/`([\w./-]+\.(?:ts|py))`/g)].map(([, name = ""]) => name);
      const folder = path.dirname(names[0] ?? "");
      return names.map((name) => (name.includes("/") ? name : `${folder}/${name}`));
    });
    expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
    expect(files.length).toBeGreaterThan(20);
  });

  it("and the other pages name no setting that there is not", () => {
    const known = new Set(
      `${read("src/config.ts")}${read("src/isolation-config.ts")}`.match(/\b[A-Z]+_[A-Z0-9_]+(?=:)/g),
    );
    const named = PAGES.match(/`DECKHAND_[A-Z_]+/g)?.map((name) => name.slice(1)) ?? [];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(10);
  });
});

/** Every rule that the gateway's files refuse with. */
function rulesRefusedWith(): string[] {
  const files = readdirSync(path.join(ROOT, "src/gateway")).map((name) => read(`src/gateway/${name}`));
  const found = files.flatMap((text) => [
    ...text.matchAll(/new DeniedError\((?:[^()]|\([^()]*\))*rule: "([a-z_]+)"/g),
    ...text.matchAll(/allow: false,\s+rule: "([a-z_]+)"/g),
    ...text.matchAll(/\brefuse\([^)]*?, "([a-z_]+)"/g),
    ...text.matchAll(/return \{ rule: "([a-z_]+)"/g),
  ]);
  return found.map(([, rule = ""]) => rule);
}

const isTaken = (config: object) =>
  EnvironmentCreateParams.safeParse({ name: "Named", config: { type: "cloud", ...config } }).success;

function takesCredential({ hosts = 1, chars = 8 }: { hosts?: number; chars?: number }): boolean {
  const allowed_hosts = Array.from({ length: hosts }, (_, n) => `h${n}.example.com`);
  const networking = { type: "limited", allowed_hosts };
  const secret = { secret_name: "SALES_TOKEN", secret_value: "s".repeat(chars) };
  return CredentialCreateParams.safeParse({ auth: { type: "environment_variable", ...secret, networking } }).success;
}

/** `8 to 4,096 …` */
function rangeIn(text: string): [number, number] {
  const [least = 0, most = 0] = (text.match(/[\d,]*\d/g) ?? []).map((number) => Number(number.replaceAll(",", "")));
  return [least, most];
}
