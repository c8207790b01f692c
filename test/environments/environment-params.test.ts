import { describe, expect, it } from "vitest";
import { EnvironmentCreateParams } from "../../src/schemas/environment.ts";

const parse = (config: object) =>
  EnvironmentCreateParams.safeParse({ name: "x", config: { type: "cloud", ...config } });

describe("allowed hosts", () => {
  const hostsOf = (host: string) =>
    parse({ networking: { type: "limited", allowed_hosts: [host] } }).data?.config?.networking;

  it.each([
    ["example.com", "example.com"],
    ["Api.EXAMPLE.com", "api.example.com"],
    ["*.example.com", "*.example.com"],
    ["example.com:8443", "example.com:8443"],
    ["*.example.com:443", "*.example.com:443"],
    ["registry", "registry"],
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.7:5000", "192.0.2.7:5000"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ])("may be %s, kept as %s", (given, kept) => {
    expect(hostsOf(given)).toMatchObject({ allowed_hosts: [kept] });
  });

  it.each([
    "",
    "*",
    "*.",
    "https://example.com",
    "example.com/path",
    "user@example.com",
    "exa mple.com",
    "example.com.",
    ".example.com",
    "a.*.example.com",
    "*example.com",
    "example.com:0",
    "example.com:65536",
    "example.com:https",
    "::1",
    "[::1]",
    "127.1",
    "0x7f000001",
    "2130706433",
    "010.0.0.1",
    "192.0.2.256",
    "*.192.0.2.7",
    "-a.example",
    "a-.example",
    "bücher.example",
    `${"a".repeat(64)}.example`,
  ])("may not be %j", (given) => {
    const parsed = parse({ networking: { type: "limited", allowed_hosts: [given] } });
    expect(parsed.error?.issues[0]?.path).toEqual(["config", "networking", "allowed_hosts", 0]);
  });
});

describe("packages", () => {
  it.each<[string, string[]]>([
    ["apt", ["ffmpeg", "g++", "libstdc++6", "libc6:i386", "ffmpeg=7:5.1.6-0+deb12u1"]],
    ["cargo", ["ripgrep", "cargo-edit@0.12.2", "x@1.0.0-rc.1+build"]],
    ["gem", ["rails", "rails:7.1.0", "net-http"]],
    ["go", ["golang.org/x/tools/cmd/goimports", "github.com/Owner/name/v2@v2.0.0-rc1", "rsc.io/quote@latest"]],
    ["npm", ["typescript", "@types/node", "@types/node@20", "react@^18.2.0", "left-pad@next", "x@1.x"]],
    ["pip", ["requests", "zope.interface", "pandas[excel,xml]==2.2.0", "numpy>=1.26,<2", "torch==2.1.0+cpu", "a~=1.4"]],
  ])("of %s are taken as it names them", (manager, names) => {
    expect(parse({ packages: { [manager]: names } }).error).toBeUndefined();
  });

  const HOSTILE = [
    "",
    "-y",
    "--index-url=http://evil.example",
    "a b",
    "a;id",
    "a|id",
    "a&id",
    "$(id)",
    "`id`",
    "a\nb",
    "a\0",
    "a'b",
    'a"b',
    "../a",
    "/etc/passwd",
    "./a.deb",
    "https://evil.example/a.tgz",
    "git+https://evil.example/a",
    "a@https://evil.example/a.tgz",
    "file:///a",
    "a@file:/etc",
    "a@npm:b",
    "a=../b",
    "x".repeat(300),
  ];
  it.each(["apt", "cargo", "gem", "go", "npm", "pip"])(
    "of %s can't be options, paths, addresses or shell",
    (manager) => {
      const taken = HOSTILE.filter((name) => parse({ packages: { [manager]: [name] } }).success);
      expect(taken).toEqual([]);
    },
  );

  it("can't be taken away by apt's own spelling for that", () => {
    expect(parse({ packages: { apt: ["python3-"] } }).success).toBe(false);
  });

  it("are at most a hundred of each manager", () => {
    const many = (count: number) => parse({ packages: { pip: Array.from({ length: count }, () => "x") } }).success;
    expect([many(100), many(101)]).toEqual([true, false]);
  });
});

it("base images have a name with a tag or digest: no id, and no other environment's", () => {
  const takes = (base_image: string) => parse({ deckhand: { base_image } }).success;
  const digest = `sha256:${"a".repeat(64)}`;
  expect(["base:3", "host.example:5000/team/base:3", `team/base@${digest}`].map(takes)).toEqual([true, true, true]);
  const refused = ["base", "abcdef123456", digest, "deckhand/environment:0123", "base:", "-v:1", "a b:1", "Base:1"];
  expect(refused.filter(takes)).toEqual([]);
});
