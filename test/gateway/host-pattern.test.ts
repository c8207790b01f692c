import { describe, expect, it } from "vitest";
import { hostPatternMatches, normaliseHost, parseHostAndPort } from "../../src/gateway/host-pattern.ts";

describe("a host pattern", () => {
  it.each<[pattern: string, hosts: string[], others: string[]]>([
    [
      "example.com",
      ["example.com:443", "example.com:80", "EXAMPLE.com:443", "example.com.:443"],
      ["www.example.com:443", "example.com:8080", "evil-example.com:443", "example.com.evil.com:443", "com:443"],
    ],
    [
      "*.example.com",
      ["a.example.com:443", "a.b.example.com:80", "A.EXAMPLE.COM.:443"],
      ["example.com:443", "evil-example.com:443", "a.example.com:22", "a.example.com.evil.net:443"],
    ],
    ["*.Example.COM.:8443", ["a.example.com:8443"], ["a.example.com:443", "example.com:8443"]],
    ["münchen.example", ["xn--mnchen-3ya.example:443", "MÜNCHEN.example:443"], ["munchen.example:443"]],
    ["10.0.0.1:5000", ["10.0.0.1:5000", "0xa.0.0.1:5000", "167772161:5000"], ["10.0.0.1:80", "10.0.0.10:5000"]],
    ["[2001:DB8::1]", ["[2001:db8:0::1]:443"], ["[2001:db8::2]:443"]],
  ])("%s allows what it says and no more", (pattern, hosts, others) => {
    const allows = (text: string) => {
      const target = parseHostAndPort(text, null);
      if (!target) throw new Error(`${text} is no host and port`);
      return hostPatternMatches(pattern, target.host, target.port);
    };
    expect(hosts.filter((host) => !allows(host))).toEqual([]);
    expect(others.filter((host) => allows(host))).toEqual([]);
  });

  it.each([
    ...["", "*", "*.", "*example.com", "a.*.com", "**.example.com", "https://example.com", "example.com/path"],
    ...["user@example.com", "example.com:0", "example.com:65536", "example.com:http", "exa mple.com", "example..com"],
    ...["*.10.0.0.1", "[::1", "::1:80", "a,b", "example.com\n", "%65xample.com", `${"a".repeat(64)}.com`, ".com"],
  ])("can't be %j", (text) => {
    expect(hostPatternMatches(text, "example.com", 443)).toBe(false);
  });
});

describe("a host", () => {
  it.each([
    ["127.1", "127.0.0.1"],
    ["0x7f000001", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["0177.0.0.01", "127.0.0.1"],
    ["0x7f.0x0.0x0.0x1", "127.0.0.1"],
    ["127.0.0.1.", "127.0.0.1"],
    ["①②⑦.0.0.1", "127.0.0.1"],
    ["[::FFFF:7F00:1]", "::ffff:7f00:1"],
    ["[0:0:0:0:0:ffff:127.0.0.1]", "::ffff:7f00:1"],
    ["EXAMPLE。com", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
  ])("%s is one with %s", (text, normal) => {
    expect(normaliseHost(text)).toBe(normal);
  });

  it.each(["", ".", "a..b", "a b", "1.2.3.4.5", "999.1.1.1", "0x1ffffffff", "[::1%eth0]", "[example.com]", "a\tb.com"])(
    "can't be %j",
    (text) => {
      expect(normaliseHost(text)).toBeNull();
    },
  );
});
