import { describe, expect, it } from "vitest";
import { checkAddress } from "../../src/gateway/address-guard.ts";

const check = (address: string, allowedNetworks: string[] = []) => {
  const checked = checkAddress(address, { allowedNetworks, ownAddresses: ["203.0.113.9", "93.184.216.9"] });
  return checked.ok ? checked.address : `no: ${checked.range}`;
};

describe("an address", () => {
  it.each([
    ["93.184.216.34", "93.184.216.34"],
    ["2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220:1:248:1893:25c8:1946"],
    ["::ffff:93.184.216.34", "93.184.216.34"],
    ["64:ff9b::5db8:d822", "64:ff9b::5db8:d822"],
    ["2002:5db8:d822::1", "2002:5db8:d822::1"],
    ["0x5d.184.216.34", "93.184.216.34"],
    ["1572395042", "93.184.216.34"],
  ])("%s is public, and connected to as %s", (address, connected) => {
    expect(check(address)).toBe(connected);
  });

  it.each([
    ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3"],
    ...["169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1"],
    ...["203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "93.184.216.9"],
    ...["0x7f.0.0.1", "0177.0.0.1", "2130706433", "127.1", "0xa9fea9fe", "0251.0376.0251.0376", "2852039166"],
    ...["::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1", "4000::1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1", "::127.0.0.1", "::a00:1"],
    ...["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::"],
    // Teredo hides the client's address: 127.0.0.1 and 10.0.0.1, and a server at 10.0.0.1.
    ...["2001:0:5db8:d822::80ff:fffe", "2001:0:5db8:d822::f5ff:fffe", "2001:0:a00:1::a247:27dd"],
    ...["", "example.com", "1.2.3.4.5", "fe80::1%eth0", "::ffff:127.0.0.1%1", "1.2.3.4/8"],
  ])("%j is not connected to", (address) => {
    expect(check(address)).toMatch(/^no: [a-zA-Z0-9]+$/);
  });

  it("in a network that the operator allows is, in its IPv6 spellings too, and its neighbours are not", () => {
    const allowed = ["10.20.0.0/16", "fd12::/32", "169.254.169.254/32"];
    expect(
      ["10.20.3.4", "::ffff:10.20.3.4", "64:ff9b::a14:304", "fd12::7", "169.254.169.254"].map((one) =>
        check(one, allowed),
      ),
    ).toEqual(["10.20.3.4", "10.20.3.4", "64:ff9b::a14:304", "fd12::7", "169.254.169.254"]);
    expect(
      ["10.21.0.1", "::ffff:10.21.0.1", "fd13::7", "169.254.169.253"].filter(
        (one) => !check(one, allowed).startsWith("no"),
      ),
    ).toEqual([]);
    expect(check("93.184.216.9", ["93.184.216.9/32"])).toBe("93.184.216.9");
  });
});
