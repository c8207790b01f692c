import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";

const load = (env: Record<string, string>) => loadConfig("/srv/deckhand", env);

describe("what sandboxes get and may reach", () => {
  it("has defaults that reach nothing but public addresses", () => {
    const { sandbox, gateway } = load({});
    expect(sandbox).toEqual({
      image: null,
      runtime: null,
      poolSize: 2,
      memoryMb: 2048,
      cpus: 2,
      pids: 512,
      diskMb: 10_240,
      bounds: { memoryMb: 16_384, cpus: 8, pids: 4096, diskMb: 51_200, runtimes: [], baseImages: [] },
      pauseAfterMs: 60_000,
      stopAfterMs: 600_000,
      removeAfterMs: 30 * 24 * 3_600_000,
    });
    expect(gateway).toMatchObject({ dir: null, allowedNetworks: [], dnsServers: [], packageHosts: [], auditDays: 90 });
  });

  it("takes lists with commas, and an empty variable as none", () => {
    const { gateway } = load({
      DECKHAND_GATEWAY_ADDRESSES: "10.20.0.0/16, fd00::/8",
      DECKHAND_GATEWAY_DNS: "10.0.0.2:5353,[fd00::1]:53,fd00::1",
      DECKHAND_GATEWAY_PACKAGE_HOSTS: "*.mirror.example,pypi.example:8443",
      DECKHAND_SANDBOX_DISK_MB: "",
    });
    expect(gateway.allowedNetworks).toEqual(["10.20.0.0/16", "fd00::/8"]);
    expect(gateway.dnsServers).toEqual(["10.0.0.2:5353", "[fd00::1]:53", "fd00::1"]);
    expect(gateway.packageHosts).toEqual(["*.mirror.example", "pypi.example:8443"]);
  });

  it.each([
    ["DECKHAND_GATEWAY_ADDRESSES", "10.0.0.0"],
    ["DECKHAND_GATEWAY_ADDRESSES", "10.0.0.0/33"],
    ["DECKHAND_GATEWAY_ADDRESSES", "intranet/8"],
    ["DECKHAND_GATEWAY_HOST_ADDRESSES", "203.0.113.0/24"],
    ["DECKHAND_GATEWAY_DNS", "resolver.example"],
    ["DECKHAND_GATEWAY_PACKAGE_HOSTS", "https://pypi.example/simple"],
    ["DECKHAND_GATEWAY_REQUESTS_PER_MINUTE", "0"],
    ["DECKHAND_SANDBOX_DISK_MB", "1"],
    ["DECKHAND_SANDBOX_RUNTIMES", "runsc --debug"],
    ["DECKHAND_SANDBOX_BASE_IMAGES", "--privileged"],
    ["DECKHAND_SANDBOX_PAUSE_AFTER_S", "soon"],
  ])("refuses %s=%s by name", (name, value) => {
    expect(() => load({ [name]: value })).toThrow(name);
  });
});
