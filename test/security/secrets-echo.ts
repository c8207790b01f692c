import { WAYS } from "./support/echo.ts";
import type { SandboxAttempt } from "./support/sandbox-attempts.ts";

const GOT = "api.cred.test got the secret in x-api-key";
/** What is answered in another way than with 200. */
const ANSWERS: Record<string, string> = {
  "error-page": `500; ${GOT}`,
  "gzip-twice": `502; ${GOT}`,
  "unknown-encoding": `502; ${GOT}`,
  redirect: `302; ${GOT}, other.test got the placeholder in x-api-key`,
};

/** Every way in which the host that got a secret gives it back, looked at with all that comes over the wire. */
export function attemptEchoes(attempt: SandboxAttempt) {
  for (const way of Object.keys(WAYS)) {
    const url = `f"https://api.cred.test{a}/echo/${way}"`;
    attempt(
      `an echo: ${way}`,
      ANSWERS[way] ?? `200; ${GOT}`,
      `curl("-L", "--compressed", *key(), ${url}) + curl("--raw", *key("FANCY_KEY"), ${url})` +
        ` + tunnel("api.cred.test", request(f"{a}/echo/${way}"))`,
    );
  }
  attempt(
    "an echo of a body",
    "200; api.cred.test got the secret in the body",
    `curl("-d", E["BODY_KEY"], f"https://api.cred.test{a}/echo/body")`,
  );
  attempt(
    "an echo of Basic",
    "200; api.cred.test got the secret in authorization",
    `curl("-u", "me:" + E["API_KEY"], f"https://api.cred.test{a}/echo/base64")`,
  );
  attempt(
    "an echo in parts, asked for by ranges",
    `200; ${GOT}`,
    `b"".join(curl("-r", f"{at}-{at + 3}", *key(), f"https://api.cred.test{a}/echo/part") for at in range(0, 40, 4))`,
  );
  attempt(
    "an echo with HTTP/1.0",
    `200; ${GOT}`,
    `curl("--http1.0", "--no-alpn", *key(), f"https://api.cred.test{a}/echo/byte-by-byte")`,
  );
  attempt("an echo to HEAD", `200; ${GOT}`, `curl("-I", *key(), f"https://api.cred.test{a}/echo/header")`);
  attempt(
    "TRACE",
    "403 method_not_allowed; nothing arrived",
    `tunnel("api.cred.test", request(a + "/", method="TRACE"))`,
  );
  attempt(
    "a WebSocket",
    "403 upgrade; nothing arrived",
    `tunnel("api.cred.test", request(a + "/", "Connection: Upgrade", "Upgrade: websocket"))`,
  );
}
