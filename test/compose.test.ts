import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isolationVariables } from "../src/isolation-config.ts";
import { ROLES } from "../src/main.ts";

const byText = (a = "", b = "") => (a < b ? -1 : 1);

const text = readFileSync(path.resolve(import.meta.dirname, "../docker-compose.yml"), "utf8");

/** The lines of each service, comments left out. */
const services = new Map(
  (/^services:\n([^]*?)^networks:/m.exec(text)?.[1] ?? "")
    .split(/^ {2}(?=[a-z]+:\n)/m)
    .slice(1)
    .map((service) => [service.slice(0, service.indexOf(":")), service.replace(/^ *#.*\n/gm, "")]),
);
const having = (pattern: RegExp) => [...services].filter(([, lines]) => pattern.test(lines)).map(([name]) => name);

describe("docker-compose.yml", () => {
  it("runs each role by itself", () => {
    const roles = [...services].flatMap(([name, lines]) => {
      const [, role] = /command: \["up", "--role", "([a-z]+)"\]/.exec(lines) ?? [];
      return role === undefined ? [] : [[name, role]];
    });
    expect(roles).toEqual(expect.arrayContaining(ROLES.map((role) => [role, role])));
    expect(roles).toHaveLength(ROLES.length);
  });

  it("gives the engine to the worker alone, the sockets to it and the gateway, and publishes nothing of the two", () => {
    expect(having(/docker\.sock/)).toEqual(["worker"]);
    expect(having(/- \*sockets\n/).sort()).toEqual(["gateway", "worker"]);
    expect(having(/sockets: \{ condition: service_completed_successfully \}/).sort()).toEqual(["gateway", "worker"]);
    expect(having(/^ +ports:/m)).toEqual(["api", "bots"]);
    expect(text.match(/^ +ports: .*/gm)?.every((line) => /\["127\.0\.0\.1:/.test(line))).toBe(true);
  });

  it("lets a role talk to the stores, and to no other role but the API", () => {
    const networks = (name: string) => /networks: \[(.*)\]/.exec(services.get(name) ?? "")?.[1];
    expect(Object.fromEntries([...services.keys()].map((name) => [name, networks(name)]))).toEqual({
      postgres: "api, worker, gateway, bots",
      redis: "api, worker, gateway, bots",
      api: "api",
      sockets: undefined,
      worker: "worker",
      gateway: "gateway",
      bots: "bots, api",
    });
    expect(services.get("sockets")).toContain("network_mode: none");
  });

  it("passes every setting of sandboxes and the gateway on, to the same roles", () => {
    const [, block = ""] = /^x-isolation: &isolation\n((?: {2}.*\n)+)/m.exec(text) ?? [];
    const passed = [...block.matchAll(/^ {2}([A-Z_]+): \$\{\1:-/gm)].map(([, name]) => name);
    expect(passed.toSorted(byText)).toEqual(Object.keys(isolationVariables).toSorted(byText));
    expect(having(/<<: \[.*\*isolation/)).toEqual(["api", "worker", "gateway"]);
    expect(having(/<<: .*\*settings/)).toEqual(["api", "worker", "gateway", "bots"]);
  });
});
