import type { Hosts } from "./support/hosts.ts";
import type { SandboxAttempt } from "./support/sandbox-attempts.ts";

const REFUSED = "403 private_address; nothing arrived";
const PRIVATE: Record<string, readonly string[]> = {
  loopback: ["127.0.0.1"],
  private: ["10.0.0.1"],
  "carrier-grade": ["100.64.0.1"],
  metadata: ["169.254.169.254"],
  unspecified: ["0.0.0.0"],
  loopback6: ["::1"],
  mapped: ["::ffff:7f00:1"],
  "unique-local": ["fd00:ec2::254"],
  nat64: ["64:ff9b::7f00:1"],
  "six-to-four": ["2002:7f00:1::1"],
};
const LITERALS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"];

/** Names whose addresses are not to be reached. `rebind.priv.test` is at an allowed one when it is first asked for. */
export function namePrivateAddresses(dns: Hosts["dns"], allowed: string): void {
  for (const [name, addresses] of Object.entries(PRIVATE)) dns.set(`${name}.priv.test`, addresses);
  dns.set("both.priv.test", [allowed, "127.0.0.1"]);
  dns.set("rebind.priv.test", (nth) => [nth === 0 ? allowed : "127.0.0.1"]);
}

/** With networking that allows every public host. */
export function attemptAddresses(attempt: SandboxAttempt) {
  for (const name of Object.keys(PRIVATE)) {
    attempt(
      `a name with a ${name} address`,
      REFUSED,
      `curl("-k", f"https://${name}.priv.test{a}/") + curl(f"http://${name}.priv.test{a}/")`,
    );
  }
  attempt("a name with an allowed and a private address", REFUSED, `curl(f"http://both.priv.test{a}/")`);
  attempt(
    "a name whose second answer is another (rebinding)",
    "403 private_address; at-first.test (plain http) got neither",
    `curl("-H", "connection: close", f"http://rebind.priv.test{a}/") + curl("-k", f"https://rebind.priv.test{a}/")`,
  );
  for (const literal of LITERALS) {
    attempt(
      `the address ${literal}`,
      REFUSED,
      `proxy(request(f"http://${literal}{a}/", host="${literal}")) + tunnel("${literal}", request(a + "/"))`,
    );
  }
  for (const to of ["http://169.254.169.254/latest/meta-data/", "https://loopback.priv.test/"]) {
    attempt(
      `a redirect to ${to}`,
      "403 private_address; other.test got neither",
      `curl("-L", f"https://other.test{a}/redirect?to=${to}")`,
    );
  }
  attempt("mail", "403 port_not_allowed; nothing arrived", `tunnel("other.test", "HELO x\\r\\n", tls=False, port=25)`);
  attempt(
    "another port of this machine",
    REFUSED,
    `tunnel("127.0.0.1", request(a + "/", host="127.0.0.1:5432"), tls=False, port=5432)`,
  );
  attempt(
    "a credential for every host",
    "200; other.test got the secret in x-api-key",
    `curl(*key("OPEN_KEY"), f"https://other.test{a}/")`,
  );
  attempt(
    "a credential for every host, over plain http",
    "200; other.test (plain http) got the placeholder in x-api-key",
    `curl(*key("OPEN_KEY"), f"http://other.test{a}/")`,
  );
}
