import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CloneOp, Sandbox } from "../../src/sandbox/sandbox.ts";
import { type Answer, type FakeGateway, startFakeGateway } from "../fakes/gateway-socket.ts";
import { bash, createTestSandboxes, NEVER, newCallId, newSessionId, run, SHAPE } from "../support/sandboxes.ts";

// Only its form counts here: a certificate that openssl and the like can read.
const CA = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn+dNuaTAKBggqhkjOPQQDAjASMRAw
DgYDVQQKEwdBY21lIENvMB4XDTE3MTAyMDE5NDMwNloXDTE4MTAyMDE5NDMwNlow
EjEQMA4GA1UEChMHQWNtZSBDbzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD0d
7VNhbWvZLWPuj/RtHFjvtJBEwOkhbN/BnnE8rnZR8+sbwnc/KhCk3FhnpHZnQz7B
5aETbbIgmuvewdjvSBSjYzBhMA4GA1UdDwEB/wQEAwICpDATBgNVHSUEDDAKBggr
BgEFBQcDATAPBgNVHRMBAf8EBTADAQH/MCkGA1UdEQQiMCCCDmxvY2FsaG9zdDo1
NDUzgg4xMjcuMC4wLjE6NTQ1MzAKBggqhkjOPQQDAgNIADBFAiEA2zpJEPQyz6/l
Wf86aX6PepsntZv2GYlA5UpabfT2EZICICpJ5h/iI+i341gBmLiAFQOyTDT+/wQc
6MF9+Yw1Yy0t
-----END CERTIFICATE-----
`;
/** npm alone takes ten seconds on a busy machine. */
const PROGRAMS_TIMEOUT_MS = 120_000;
const BODY = randomBytes(3_000_000);

const sandboxes = createTestSandboxes();
/** What the fake gateway answers besides. */
const files = new Map<string, Buffer>();
let root: string;
let sandbox: Sandbox;
let gateway: FakeGateway;
let upstream: Server;
let port: number;

const answer: Answer = (request, response) => {
  const file = files.get(request.url ?? "");
  if (file) response.end(file);
  else if (request.url?.endsWith("/large")) response.end(BODY);
  else if (request.url?.endsWith("/echo")) request.pipe(response);
  else response.writeHead(404).end(`nothing at ${request.url}`);
};
const folder = () => path.join(root, sandbox.gatewayId ?? "none");
const provider = (options: object = {}) => sandboxes.provider({ gateway: { root, caCertificate: CA }, ...options });

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "gw-"));
  // Speaks last, so what it says arrives only where a half-closed connection stays open the other way.
  upstream = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on("data", (part) => (bytes += part.length)).on("error", () => {});
    socket.on("end", () => socket.end(`${bytes} bytes`));
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  port = typeof address === "object" && address ? address.port : 0;
  sandbox = await provider().provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  gateway = await startFakeGateway(folder(), answer, port);
});
afterEach(() => files.clear());
afterAll(async () => {
  await gateway?.stop();
  upstream.close();
  await sandboxes.removeAll();
  await rm(root, { recursive: true, force: true });
});

const FETCH = "curl -sS -m 20 http://host.test/large | sha256sum";
const SHA = `${createHash("sha256").update(BODY).digest("hex")}  -\n`;
const FORWARDERS = "pgrep -f forwarder.py | wc -l";
const KILL_FORWARDER = "pkill -9 -f forwarder.py";

describe("the way out", () => {
  it("is a folder that the tools can read but not change, and nothing else", async () => {
    expect(sandbox.gatewayId).toMatch(/^[0-9a-f]{32}$/);
    expect((await provider().attach(sandbox.ref, NEVER))?.gatewayId).toBe(sandbox.gatewayId);
    expect((await stat(folder())).mode & 0o777).toBe(0o755);
    expect(await bash(sandbox, "ls /run/egress; ls -A /sys/class/net")).toBe("ca.pem\ngateway.sock\nhosts\nlo\n");
    const attempts = ["rm /run/egress/gateway.sock", "mv /run/egress/ca.pem /run/egress/x", "echo >/run/egress/new"];
    const outcomes = attempts.map((attempt) => run(sandbox, { op: "bash", command: `${attempt} 2>/dev/null` }));
    expect((await Promise.all(outcomes)).map(({ isError }) => isError)).toEqual([true, true, true]);
    expect(await bash(sandbox, "grep egress /proc/self/mountinfo")).toContain(" ro,");
  });

  it("starts no forwarder before somebody connects", async () => {
    expect(await bash(sandbox, FORWARDERS)).toBe("0\n");
    expect(await bash(sandbox, FETCH)).toBe(SHA);
    expect(await bash(sandbox, FORWARDERS)).toBe("1\n");
  });

  it(
    "is what curl, python, node, git, pip and npm take without being told",
    { timeout: PROGRAMS_TIMEOUT_MS },
    async () => {
      const before = gateway.asked.length;
      const programs = [
        "curl -s http://curl.test/echo",
        `python3 -c 'import urllib.request as u; u.urlopen("http://python.test/echo")'`,
        `python3 -c 'import requests; requests.get("http://requests.test/echo")'`,
        `node -e 'fetch("https://node.test/echo").catch(() => {})'`,
        "git ls-remote http://git.test/echo",
        "pip download --index-url https://pip.test/simple --retries 0 --timeout 5 nothing",
        "npm view --registry http://npm.test/ --fetch-retries 0 nothing",
      ];
      await bash(sandbox, `${programs.map((program) => `(${program}) >/dev/null 2>&1 &`).join("\n")} wait`);
      const asked = gateway.asked.slice(before).map((url) => /([a-z]+)\.test/.exec(url)?.[1]);
      expect([...new Set(asked)].toSorted((a = "", b = "") => (a < b ? -1 : 1))).toEqual([
        "curl",
        "git",
        "node",
        "npm",
        "pip",
        "python",
        "requests",
      ]);
      expect(
        await bash(
          sandbox,
          "python3 -m http.server 8123 >/dev/null 2>&1 & sleep 0.5; curl -sS -o /dev/null -w ok localhost:8123",
        ),
      ).toBe("ok");
    },
  );

  it("trusts the gateway's certificates beside everybody's", async () => {
    const count = "grep -c BEGIN";
    const [system = 0, bundle = 0] = (
      await bash(sandbox, `${count} /etc/ssl/certs/ca-certificates.crt; ${count} "$SSL_CERT_FILE"`)
    )
      .split("\n")
      .map(Number);
    expect(bundle).toBe(system + 1);
    const names = "CURL_CA_BUNDLE GIT_SSL_CAINFO PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE";
    expect(await bash(sandbox, `for name in ${names}; do echo "\${!name}"; done | uniq -c`)).toMatch(
      /^ +5 \/run\/deckhand\/ca-bundle\.pem\n$/,
    );
    expect(await bash(sandbox, "node -p 1 2>&1; echo $NODE_EXTRA_CA_CERTS")).toBe("1\n/run/egress/ca.pem\n");
  });

  it("carries a half-closed connection, and many at once", async () => {
    const talk = `
import socket, threading
def once(size, results):
    s = socket.create_connection(("127.0.0.1", 3128))
    s.sendall(b"CONNECT a.test:443 HTTP/1.1\\r\\nHost: a.test:443\\r\\n\\r\\n")
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"): head += s.recv(1)
    s.sendall(b"x" * size)
    s.shutdown(socket.SHUT_WR)
    answer = b""
    while part := s.recv(100): answer += part
    results.append(answer.decode() == f"{size} bytes")
results = []
threads = [threading.Thread(target=once, args=(size, results)) for size in [10_000_000, *range(1, 100)]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(results), all(results))`;
    await sandbox.writeText("/tmp/talk.py", talk, NEVER);
    expect(await bash(sandbox, "python3 /tmp/talk.py")).toBe("100 True\n");
  });

  it("is there again after a tool has killed the forwarder, or the runner with it", async () => {
    await bash(sandbox, KILL_FORWARDER);
    expect(await bash(sandbox, FETCH)).toBe(SHA);
    await run(sandbox, { op: "bash", command: "kill -9 -1" });
    await expect.poll(() => bash(sandbox, FETCH)).toBe(SHA);
    expect(await bash(sandbox, FORWARDERS)).toBe("1\n");
  });

  it("is not blocked by a forwarder that outlived its runner", async () => {
    await bash(sandbox, FETCH);
    // Without the signal that a dying parent sends, the port stays taken until the orphan is gone.
    const kill = "kill -9 $(ps -o pid=,ppid= -C python3 | awk '$2 == 1 {print $1}')";
    await run(sandbox, { op: "bash", command: kill });
    await expect.poll(() => bash(sandbox, FETCH)).toBe(SHA);
  });

  it("survives a restart of the gateway unnoticed, and says so when the gateway stays away", async () => {
    await gateway.stop();
    const waiting = sandbox.call(newCallId(), { op: "bash", command: FETCH }, NEVER);
    await run(sandbox, { op: "glob", pattern: "*" }); // sent later, so the command runs by now
    gateway = await startFakeGateway(folder(), answer, port);
    expect((await waiting).content).toEqual([{ type: "text", text: SHA }]);
    await gateway.stop();
    expect(await bash(sandbox, "curl -sS http://host.test/echo")).toContain("cannot be reached");
    gateway = await startFakeGateway(folder(), answer, port);
  });
});

describe("a tool without root", () => {
  it("installs Debian packages with what they depend on, and finds their programs, libraries and modules", async () => {
    await sandbox.writeText("/tmp/make-repository.sh", REPOSITORY, NEVER);
    const made = await bash(
      sandbox,
      "bash /tmp/make-repository.sh 2>&1 && cd /tmp/repository && ls && tar c * | base64 -w0 >../r.b64",
    );
    expect(made).toContain("greeter.deb");
    for (const name of ["Packages", "greeter.deb", "greeting-data.deb"]) {
      files.set(
        `http://deb.test/./${name}`,
        Buffer.from(await bash(sandbox, `base64 -w0 /tmp/repository/${name}`), "base64"),
      );
    }
    const apt = "apt-get -o Dir::Etc::sourcelist=/tmp/sources.list -o Dir::Etc::sourceparts=-";
    await sandbox.writeText("/tmp/sources.list", "deb [trusted=yes] http://deb.test/ ./\n", NEVER);
    const installed = await bash(sandbox, `${apt} install greeter 2>&1`);
    expect(installed).toContain("greeter, greeting-data");
    expect(await bash(sandbox, "greeter; python3 -c 'import greeting; print(greeting.WORD)'")).toBe(
      "hello from data\nhi\n",
    );
    expect(await bash(sandbox, `${apt} install -y greeter curl 2>&1`)).toMatch(
      /curl is already the newest[^]*greeter is already the newest|greeter is already the newest[^]*curl is already the newest/,
    );
    expect(await bash(sandbox, "apt-get remove greeter")).toContain("not possible here without root");
    expect(await bash(sandbox, "dpkg -l greeter 2>&1")).toContain("no packages found");
  });

  it("installs npm programs, and finds them", { timeout: PROGRAMS_TIMEOUT_MS }, async () => {
    const make = `mkdir -p /tmp/tool && cd /tmp/tool && echo '{"name":"a-tool","version":"1.0.0","bin":{"a-tool":"x.js"}}' >package.json
printf '#!/usr/bin/env node\\nconsole.log("installed")\\n' >x.js && npm pack --silent && npm install -g ./a-tool-1.0.0.tgz >/dev/null 2>&1; a-tool`;
    expect(await bash(sandbox, make)).toContain("installed");
  });
});

describe("variables of the session", () => {
  it("reach the shell that runs, unseen, and leave it when they are no longer set", async () => {
    await bash(sandbox, "here=kept; cd /tmp; set -x; OWN=mine; export OWN");
    await sandbox.setEnvironment({ KEY: 'it\'s\n"odd" $HOME', OWN: "given" }, NEVER);
    expect(await bash(sandbox, "set +x; true")).toBe("++ set +x\n");
    expect(await bash(sandbox, 'echo "$KEY|$OWN|$here|$PWD"; env | grep -c ^KEY=')).toBe(
      'it\'s\n"odd" $HOME|given|kept|/tmp\n1\n',
    );
    await bash(sandbox, "OWN=changed");
    await sandbox.setEnvironment({ KEY: 'it\'s\n"odd" $HOME', OWN: "given", MORE: "1" }, NEVER);
    expect(await bash(sandbox, 'echo "$OWN$MORE"')).toBe("changed1\n");
    await sandbox.setEnvironment({ MORE: "2" }, NEVER);
    expect(await bash(sandbox, 'echo "[$KEY][$OWN][$MORE]"')).toBe("[][][2]\n");
  });

  it("are there in a new shell, and after the runner was killed", async () => {
    await sandbox.setEnvironment({ MORE: "3" }, NEVER);
    await run(sandbox, { op: "bash", restart: true });
    expect(await bash(sandbox, "echo $MORE")).toBe("3\n");
    await run(sandbox, { op: "bash", command: "kill -9 -1" });
    await expect.poll(() => bash(sandbox, "echo $MORE")).toBe("3\n");
  });

  it("are refused under a name that is none, and nothing changes", async () => {
    await sandbox.setEnvironment({ MORE: "4" }, NEVER);
    await expect(sandbox.setEnvironment({ "A;touch /tmp/x": "", MORE: "5" }, NEVER)).rejects.toThrow("A;touch");
    expect(await bash(sandbox, "echo $MORE; ls /tmp/x 2>&1")).toContain("4\nls: cannot access");
  });
});

describe("cloning a repository", () => {
  const clone = (path: string, more: Partial<CloneOp> = {}) =>
    run(sandbox, { op: "clone", url: "file:///tmp/origin", path, checkout: null, ...more });

  it("puts it in place at the branch or commit that was asked for, once per call", async () => {
    const git = "git -c user.name=a -c user.email=a@b.c";
    const made = await bash(
      sandbox,
      `git init -q -b main /tmp/origin && cd /tmp/origin && git config uploadpack.allowAnySHA1InWant true
for n in 1 2; do echo $n >n; git add n; ${git} commit -qm $n; done; git branch old HEAD~1; git rev-parse HEAD~1`,
    );
    const callId = newCallId();
    const op: CloneOp = { op: "clone", url: "file:///tmp/origin", path: "/workspace/a/default", checkout: null };
    const results = [await sandbox.call(callId, op, NEVER), await sandbox.call(callId, op, NEVER)];
    expect(results.map(({ isError }) => isError)).toEqual([false, false]);
    expect((await clone("/workspace/branch", { checkout: { type: "branch", name: "old" } })).isError).toBe(false);
    expect((await clone("/workspace/commit", { checkout: { type: "commit", sha: made.trim() } })).isError).toBe(false);
    expect(
      await bash(sandbox, "cd /workspace; cat a/default/n branch/n commit/n; git -C branch branch --show-current"),
    ).toBe("2\n1\n1\nold\n");
    expect(await bash(sandbox, "ls -A /workspace /workspace/a; stat -c %a /workspace/branch")).toBe(
      "/workspace:\na\nbranch\ncommit\n\n/workspace/a:\ndefault\n755\n",
    );
  });

  it("says in git's words what went wrong, and leaves nothing behind", async () => {
    await bash(sandbox, "mkdir -p /workspace/full; echo mine >/workspace/full/file");
    const failures = [
      [await clone("/workspace/full"), "not an empty folder"],
      [await clone("/workspace/x", { checkout: { type: "branch", name: "none" } }), "Remote branch none not found"],
      [await clone("/workspace/x", { checkout: { type: "commit", sha: "f".repeat(40) } }), "f".repeat(40)],
      [await clone("/workspace/x", { url: "http://host.test/missing.git" }), "not found"],
      [await clone("/workspace/x", { url: "--upload-pack=touch /tmp/hacked" }), "does not exist"],
      [await clone("/workspace/x", { timeout_ms: 1 }), "stopped"],
      [await clone("/etc/x"), "ermission denied"],
    ] as const;
    for (const [result, words] of failures) {
      expect(result).toEqual({ isError: true, content: [{ type: "text", text: expect.stringContaining(words) }] });
    }
    expect(await bash(sandbox, "ls -A /workspace /tmp/hacked 2>&1; cat /workspace/full/file")).toMatch(
      /cannot access '\/tmp\/hacked'[^]*\/workspace:\na\nbranch\ncommit\nfull\nmine\n/,
    );
  });
});

describe("a folder of the gateway", () => {
  it("goes with its container, whichever way that ends", async () => {
    const there = async () => (await readdir(root)).sort();
    const before = await there();
    const pooling = provider({ pool: { shape: SHAPE, size: 1 } });
    await pooling.poolFilled();
    const pooled = await pooling.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
    expect(await there()).toContain(pooled.gatewayId);
    await pooling.close();
    await expect(
      provider().provision({ sessionId: newSessionId(), shape: { ...SHAPE, image: "deckhand/none:none" } }, NEVER),
    ).rejects.toThrow();
    expect(await there()).toEqual([...before, pooled.gatewayId ?? ""].toSorted((a, b) => (a < b ? -1 : 1)));
    await provider().destroy(pooled.ref);
    expect(await there()).toEqual(before);
  });

  it("of a container that is gone is removed after a minute, and no other", async () => {
    let time = Date.now();
    const sweeping = provider({ now: () => time });
    const orphan = await provider().provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
    await sandboxes.docker.getContainer(orphan.ref).remove({ force: true });
    await sweeping.removeOrphans();
    expect(await readdir(root)).toContain(orphan.gatewayId);
    time += 61_000;
    await sweeping.removeOrphans();
    expect(await readdir(root)).toEqual([sandbox.gatewayId]);
  });
});

const REPOSITORY = `set -e
rm -rf /tmp/repository && mkdir /tmp/repository && cd /tmp/repository
package() { # name, dependencies; its files are in /tmp/files
  mkdir -p /tmp/files/DEBIAN
  printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nMaintainer: t\\nDescription: t\\nDepends: %s\\n' "$1" "$2" >/tmp/files/DEBIAN/control
  dpkg-deb -b /tmp/files $1.deb >/dev/null
  { dpkg-deb -f $1.deb; echo "Filename: ./$1.deb"; echo "Size: $(stat -c %s $1.deb)"; echo "SHA256: $(sha256sum <$1.deb | cut -d' ' -f1)"; echo; } >>Packages
  rm -rf /tmp/files
}
mkdir -p /tmp/files/usr/share/greeting /tmp/files/usr/lib/python3/dist-packages
echo 'hello from data' >/tmp/files/usr/share/greeting/word
echo 'WORD = "hi"' >/tmp/files/usr/lib/python3/dist-packages/greeting.py
package greeting-data bash
mkdir -p /tmp/files/usr/bin
printf '#!/bin/sh\\ncat ~/.apt/usr/share/greeting/word\\n' >/tmp/files/usr/bin/greeter
chmod 755 /tmp/files/usr/bin/greeter
package greeter 'greeting-data, curl'
`;
