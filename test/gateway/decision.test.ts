import { describe, expect, it } from "vitest";
import { decide } from "../../src/gateway/decision.ts";
import { PACKAGE_HOSTS } from "../../src/gateway/package-hosts.ts";
import type { NetworkingPolicy } from "../../src/gateway/sandbox-policy.ts";
import { createSessionLimits } from "../../src/gateway/session-limits.ts";

const REPOSITORIES = [{ resourceId: "sesrsc_1", host: "github.com", port: 443, path: "/acme/site", token: null }];
const UNRESTRICTED: NetworkingPolicy = { type: "unrestricted" };
const LIMITED: NetworkingPolicy = {
  type: "limited",
  allowedHosts: ["example.com", "*.example.org", "git.example.net:9418"],
  packageManagers: false,
};
const WITH_PACKAGES = { ...LIMITED, packageManagers: true };

describe("the policy", () => {
  it.each<[networking: NetworkingPolicy, request: string, verdict: string]>([
    [LIMITED, "http://example.com:80/", "allowed_hosts"],
    [LIMITED, "tcp://example.com:443", "allowed_hosts"],
    [LIMITED, "tcp://example.com:8443", "no: port_not_allowed"],
    [LIMITED, "tcp://example.com:22", "no: port_not_allowed"],
    [LIMITED, "tcp://a.b.example.org:443", "allowed_hosts"],
    [LIMITED, "tcp://example.org:443", "no: host_not_allowed"],
    [LIMITED, "tcp://evil-example.com:443", "no: host_not_allowed"],
    [LIMITED, "tcp://git.example.net:9418", "allowed_hosts"],
    [LIMITED, "tcp://git.example.net:443", "no: port_not_allowed"],
    [LIMITED, "tcp://pypi.org:443", "no: host_not_allowed"],
    [WITH_PACKAGES, "tcp://pypi.org:443", "package_managers"],
    [WITH_PACKAGES, "http://deb.debian.org:80/debian/", "package_managers"],
    [WITH_PACKAGES, "tcp://mirror.example.net:443", "package_managers"],
    [WITH_PACKAGES, "tcp://pypi.org:22", "no: port_not_allowed"],
    [WITH_PACKAGES, "tcp://other.example.net:443", "no: host_not_allowed"],
    [UNRESTRICTED, "tcp://anything.example:6667", "unrestricted"],
    [UNRESTRICTED, "tcp://mail.example:25", "no: port_not_allowed"],
    [LIMITED, "tcp://github.com:443", "repository"],
    [LIMITED, "tcp://github.com:80", "no: host_not_allowed"],
    [LIMITED, "https://github.com:443/acme/site/info/refs?service=git-upload-pack", "repository"],
    [LIMITED, "https://github.com:443/acme/site.git/git-receive-pack", "repository"],
    [LIMITED, "https://github.com:443/acme/other/info/refs", "no: host_not_allowed"],
    [LIMITED, "https://github.com:443/acme/site/settings", "no: host_not_allowed"],
    [LIMITED, "http://github.com:443/acme/site/info/refs", "no: host_not_allowed"],
  ])("%o of %s says %s", (networking, request, verdict) => {
    const [, scheme = "", host = "", port, path = null] = /^(\w+):\/\/([^:]+):(\d+)(\/.*)?$/.exec(request) ?? [];
    if (scheme !== "tcp" && scheme !== "http" && scheme !== "https") throw new Error(`${request} is no request`);
    const decision = decide(
      { networking, repositories: REPOSITORIES },
      { host, port: Number(port) },
      { scheme, path },
      [...PACKAGE_HOSTS, "mirror.example.net"],
    );
    expect(decision.allow ? decision.rule : `no: ${decision.rule}`).toBe(verdict);
    if (!decision.allow) expect(decision.message).toContain(host);
  });
});

describe("what one sandbox may ask for", () => {
  it("comes back with time, evenly, and no other sandbox pays for it", () => {
    let now = 0;
    const limits = createSessionLimits({ requestsPerMinute: 60, bytesPerHour: 3600 }, () => now);
    const taken = (id: string, count: number) => Array.from({ length: count }, () => limits.takeRequest(id));
    expect(new Set(taken("a", 60))).toEqual(new Set(["ok"]));
    expect(taken("a", 3)).toEqual(["over", "still_over", "still_over"]);
    expect(taken("b", 1)).toEqual(["ok"]);
    now += 2_000;
    expect(taken("a", 3)).toEqual(["ok", "ok", "still_over"]);
    now += 10_000;
    expect(taken("a", 11).at(-1)).toBe("over");

    expect([limits.takeBytes("a", 3599), limits.takeBytes("a", 1), limits.takeBytes("b", 1)]).toEqual([
      true,
      false,
      true,
    ]);
    now += 5_000;
    expect([limits.takeBytes("a", 4), limits.takeBytes("a", 1_000_000)]).toEqual([true, false]);
    now += 3_590_000;
    expect(limits.takeBytes("a", 0)).toBe(false);
  });
});
