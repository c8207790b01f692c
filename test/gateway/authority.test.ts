import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { authorityCertificate, serverCertificate } from "../../src/gateway/certificate.ts";
import { memoryAuthority } from "../support/intercepted-host.ts";

const DAY_MS = 86_400_000;
const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = { commonName: "An authority", ...newKeys() };

afterEach(() => void vi.useRealTimers());

describe("a certificate", () => {
  it.each(["api.example.com", `${"long-".repeat(12)}label.example.com`, "10.0.0.7", "2001:db8::7"])(
    "for %s is taken by OpenSSL at its strictest",
    (host) => {
      const dir = mkdtempSync(path.join(tmpdir(), "dh-certificate-"));
      try {
        writeFileSync(path.join(dir, "ca.pem"), authorityCertificate(issuer, 3650 * DAY_MS));
        writeFileSync(path.join(dir, "leaf.pem"), serverCertificate(issuer, host, newKeys().publicKey, DAY_MS));
        const name = /^[\d.]+$|:/.test(host) ? "-verify_ip" : "-verify_hostname";
        const verify = (as: string) =>
          execFileSync(
            "openssl",
            ["verify", "-x509_strict", "-purpose", "sslserver", name, as, "-CAfile", "ca.pem", "leaf.pem"],
            {
              cwd: dir,
              encoding: "utf8",
              stdio: "pipe",
            },
          );
        expect(verify(host)).toBe("leaf.pem: OK\n");
        expect(() => verify(name === "-verify_ip" ? "10.0.0.8" : "evil.example.com")).toThrow(/mismatch/);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );

  it("names its issuer by the issuer's key, has a number of its own and says what it is for", () => {
    const ca = new X509Certificate(authorityCertificate(issuer, 40 * 365 * DAY_MS));
    const leaves = [1, 2].map(
      () => new X509Certificate(serverCertificate(issuer, "a.example.com", newKeys().publicKey, DAY_MS)),
    );
    expect(leaves.map((leaf) => [leaf.ca, leaf.verify(issuer.publicKey), leaf.checkIssued(ca)])).toEqual([
      [false, true, true],
      [false, true, true],
    ]);
    expect([ca.ca, ca.verify(issuer.publicKey), ca.validToDate > new Date("2060-01-01")]).toEqual([true, true, true]);
    expect(new Set(leaves.map(({ serialNumber }) => serialNumber)).size).toBe(2);
  });
});

describe("the gateway's authority", () => {
  it("makes a certificate once for each host, and another before it ends", async () => {
    const authority = await memoryAuthority();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const first = authority.contextFor("a.example.com");
    expect(authority.contextFor("a.example.com")).toBe(first);
    expect(authority.contextFor("b.example.com")).not.toBe(first);
    vi.setSystemTime(Date.now() + 6.5 * DAY_MS);
    expect(authority.contextFor("a.example.com")).not.toBe(first);
  });

  it("keeps those that are used, and not without end", async () => {
    const authority = await memoryAuthority();
    const used = authority.contextFor("used.example.com");
    const idle = authority.contextFor("idle.example.com");
    for (let index = 0; index < 600; index += 1) {
      authority.contextFor(`${index}.example.com`);
      authority.contextFor("used.example.com");
    }
    expect(authority.contextFor("used.example.com")).toBe(used);
    expect(authority.contextFor("idle.example.com")).not.toBe(idle);
  });
});
