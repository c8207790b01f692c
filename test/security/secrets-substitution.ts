import type { SandboxAttempt } from "./support/sandbox-attempts.ts";
import { OTHER_PORT } from "./support/world.ts";

const API = "https://api.cred.test";
const GOT = "200; api.cred.test got the secret in";

/** Where a placeholder becomes its secret, and where it stays what it is. */
export function attemptSubstitution(attempt: SandboxAttempt, given: { address: () => string; foreign: () => string }) {
  const json = `"-H", "content-type: application/json", "-d", json.dumps`;
  attempt(
    "Bearer with curl",
    `${GOT} authorization`,
    `curl("-H", "Authorization: Bearer " + E["API_KEY"], f"${API}{a}/")`,
  );
  attempt("x-api-key with curl", `${GOT} x-api-key`, `curl(*key(), f"${API}{a}/")`);
  attempt("curl -u", `${GOT} authorization`, `curl("-u", "user:" + E["API_KEY"], f"${API}{a}/")`);
  attempt("a user in the URL", `${GOT} authorization`, `curl(f"https://{E['API_KEY']}:@api.cred.test{a}/")`);
  attempt("a cookie", `${GOT} cookie`, `curl("-b", "session=" + E["API_KEY"], f"${API}{a}/")`);
  attempt(
    "a name in capitals with a dot at its end",
    `${GOT} x-api-key`,
    `curl(*key(), f"https://API.Cred.TEST.{a}/")`,
  );
  attempt("a secret full of quotes in a header", `${GOT} x-api-key`, `curl(*key("FANCY_KEY"), f"${API}{a}/")`);
  attempt("a JSON body", `${GOT} the body`, `curl(${json}({"key": E["FANCY_KEY"]}), f"${API}{a}/")`);
  attempt("a form", `${GOT} the body`, `curl("--data-urlencode", "key=" + E["FANCY_KEY"], f"${API}{a}/")`);
  attempt(
    "a body in chunks",
    `${GOT} the body`,
    `curl("-H", "transfer-encoding: chunked", "-H", "expect: 100-continue", "-d", E["API_KEY"], f"${API}{a}/")`,
  );
  attempt(
    "python's urllib",
    "ok; api.cred.test got the secret in x-api-key".replace("ok", "no answer"),
    `urllib.request.urlopen(urllib.request.Request(f"${API}{a}/", headers={"x-api-key": E["API_KEY"]}), timeout=9).read()`,
  );
  attempt(
    "python's requests",
    "no answer; api.cred.test got the secret in authorization",
    `__import__("requests").get(f"${API}{a}/", auth=("user", E["API_KEY"]), timeout=9).content`,
  );
  attempt(
    "node's fetch",
    "no answer; api.cred.test got the secret in x-api-key",
    `run("node", "-e", "fetch(process.argv[1], {headers: {'x-api-key': process.env.API_KEY}}).then((r) => r.text()).then(console.log)", f"${API}{a}/")`,
  );
  attempt(
    "git's extraHeader",
    "no answer; api.cred.test got the secret in x-api-key",
    `run("git", "-c", "http.extraHeader=x-api-key: " + E["API_KEY"], "ls-remote", f"${API}{a}/r")`,
  );
  attempt("HTTP/2, which is declined", `${GOT} x-api-key`, `curl("--http2", *key(), f"${API}{a}/")`);
  attempt(
    "a name below a wildcard",
    "200; sub.wild.test got the secret in x-api-key",
    `curl(*key("WILD_KEY"), f"https://sub.wild.test{a}/")`,
  );

  const left = "200; api.cred.test got the placeholder in";
  attempt("a credential for headers in a body", `${left} the body`, `curl("-d", E["HEADER_KEY"], f"${API}{a}/")`);
  attempt("a credential for bodies in a header", `${left} x-api-key`, `curl(*key("BODY_KEY"), f"${API}{a}/")`);
  attempt("the path", `${left} the target`, `curl(f"${API}{a}/" + E["API_KEY"])`);
  attempt("the query", `${left} the target`, `curl(f"${API}{a}/?key=" + E["API_KEY"])`);
  attempt("the name of a header", `${left} the name of a header`, `curl("-H", E["API_KEY"] + ": 1", f"${API}{a}/")`);
  attempt(
    "base64 that is not Basic",
    "200; api.cred.test got neither",
    `curl("-H", "x-api-key: " + base64.b64encode(E["API_KEY"].encode()).decode(), f"${API}{a}/")`,
  );
  attempt(
    "half of a placeholder",
    "200; api.cred.test got the placeholder in x-api-key",
    `curl("-H", "x-api-key: " + E["API_KEY"][:-1], f"${API}{a}/")`,
  );
  attempt(
    "a credential of another host",
    "200; api.cred.test got the placeholder in x-api-key",
    `curl(*key("WILD_KEY"), f"${API}{a}/")`,
  );
  attempt(
    "plain http",
    "200; api.cred.test (plain http) got the placeholder in x-api-key",
    `curl(*key(), f"http://api.cred.test{a}/")`,
  );
  attempt(
    "plain http in a tunnel",
    "200; api.cred.test (plain http) got the placeholder in x-api-key",
    `tunnel("api.cred.test", request(a + "/"), tls=False, port=80)`,
  );
  attempt(
    "plain http in a tunnel to 443",
    "403 name_mismatch; nothing arrived",
    `tunnel("api.cred.test", request(a + "/"), tls=False)`,
  );
  attempt(
    "plain http in a tunnel to 443 that says so",
    "502; nothing arrived",
    `tunnel("api.cred.test", request(a + "/", host="api.cred.test:443"), tls=False)`,
  );
  attempt(
    "another allowed host",
    "200; other.test got the placeholder in x-api-key",
    `curl(*key(), f"https://other.test{a}/")`,
  );
  attempt(
    "the credential's host by its address",
    "200; api.cred.test got the placeholder in x-api-key",
    () => `curl("-k", *key(), f"https://${given.address()}{a}/")`,
  );
  attempt(
    "another port of the credential's host",
    "200; api.cred.test got the placeholder in x-api-key",
    `curl(*key(), f"https://api.cred.test:${OTHER_PORT}{a}/")`,
  );
  attempt(
    "a placeholder of another session",
    "200; api.cred.test got the placeholder in x-api-key",
    () => `curl("-H", "x-api-key: ${given.foreign()}", f"${API}{a}/")`,
  );
}
