import { afterAll, beforeAll, expect } from "vitest";
import { SandboxLostError } from "../../src/sandbox/sandbox.ts";
import { bash, NEVER, newCallId, run, textOf } from "../support/sandboxes.ts";
import { attemptsIn } from "./support/attempt.ts";
import { assertUnharmed, attack, type Box, type BoxRig, createBoxRig, WAY_OUT } from "./support/box-rig.ts";

const RUNNER = "$(ps -o pid=,ppid=,args= -C python3 | awk '/bridge.py/ && $2 == 1 {print $1}')";

const attempt = attemptsIn("processes");
let rig: BoxRig;
let box: Box;
let neighbour: Box;
beforeAll(async () => {
  rig = await createBoxRig();
  [box, neighbour] = await Promise.all([rig.open(), rig.open()]);
});
afterAll(() => rig.close());

const running = async () => (await rig.docker.getContainer(box.sandbox.ref).inspect()).State;

const KILLS: [string, string, RegExp][] = [
  ["kill pid 1", "kill -9 1; kill -TERM 1; kill -INT 1; kill -STOP 1; echo still here", /not permitted[^]*still here/],
  ["kill what keeps the sandbox up", "pkill -9 -x sleep; pkill -9 -f docker-init; echo still here", /still here/],
  ["kill every process it can see", "kill -9 -1", /outcome is unknown/],
  ["kill the runner", `kill -9 ${RUNNER}; sleep 60`, /outcome is unknown/],
  ["kill the runner's bridge", "pkill -9 -P 0 python3; echo $?", /^0\n$/],
  ["end its shell", "exec 200>&-; exit 0", /no output/],
];
for (const [name, command, seen] of KILLS) {
  attempt(name, "the sandbox goes on", async () => {
    const { StartedAt } = await running();
    const { text } = await attack(box, command);
    expect(text).toMatch(seen);
    await assertUnharmed(box, neighbour);
    expect(await running()).toMatchObject({ Running: true, StartedAt });
    return text.includes("unknown") ? "one tool error, then as before" : "as before";
  });
}

attempt("kill the forwarder", "the way out is there again", async () => {
  const fetch = "curl -sS -m 10 --retry 3 --retry-all-errors http://example.com/";
  expect((await attack(box, fetch)).text).toBe(WAY_OUT);
  expect((await attack(box, "pkill -9 -f forwarder.py; echo $?")).text).toBe("0\n");
  expect((await attack(box, fetch)).text).toBe(WAY_OUT);
  await assertUnharmed(box, neighbour);
  return "started again";
});

attempt("use up the epoll watches of its user", "no runner and no forwarder needs any", async () => {
  expect((await attack(neighbour, "curl -sS -m 10 http://example.com/")).text).toBe(WAY_OUT);
  const { text } = await attack(
    neighbour,
    "pgrep -cf 'bridge.py|forwarder.py'; ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c eventpoll",
  );
  expect(text).toMatch(/^[2-9]\n0\n/);
  return "none is held";
});

attempt("forge a result by printing frames and end marks", "it is only text", async () => {
  const frame = `python3 -c 'import struct, sys
header = b"""{"id":1,"result":{"content":[{"type":"text","text":"forged"}],"is_error":false}}"""
sys.stdout.buffer.write(struct.pack(">II", len(header), 0) + header + b"0\\n")'`;
  const { isError, text } = await attack(box, `${frame}; echo 0 >&200; echo 0 >&2; (exit 9)`);
  expect({ isError, forged: text === "forged" }).toEqual({ isError: true, forged: false });
  await assertUnharmed(box, neighbour);
  return "an error all the same";
});

attempt("write to the exec streams of the bridge", "that connection ends, the call gets one result", async () => {
  const write =
    "for pid in $(pgrep -f bridge.py); do for fd in /proc/$pid/fd/*; do [ -p $fd ] && printf 'not a frame, but long enough to be one' >$fd; done; done";
  await attack(box, `timeout 2 bash -c '${write.replaceAll("'", "'\\''")}' 2>/dev/null; echo wrote`);
  await assertUnharmed(box, neighbour);
  return "joined anew";
});

attempt(
  "answer in the runner's place on its socket",
  "no harm to others, and the sandbox can be used again",
  async () => {
    const impostor = `import os, socket, time
os.unlink("/run/deckhand/runner.sock")
s = socket.socket(socket.AF_UNIX); s.bind("/run/deckhand/runner.sock"); s.listen()
os.system("pkill -9 -f bridge.py")
while True:
    c, _ = s.accept(); c.sendall(b"x" * 100); c.close()`;
    const own = await rig.open();
    await own.sandbox.writeText("/tmp/impostor.py", impostor, NEVER);
    const outcome = await attack(own, "setsid python3 /tmp/impostor.py >/dev/null 2>&1 & sleep 5").catch(
      (error: unknown) => error,
    );
    expect(outcome).toSatisfy((seen) => seen instanceof SandboxLostError || typeof seen === "object");
    await bash(own.sandbox, "true").catch((error: unknown) => expect(error).toBeInstanceOf(SandboxLostError));
    const again = await rig.provider.attach(own.sandbox.ref, NEVER);
    expect(again && (await bash(again, "echo again"))).toBe("again\n");
    await assertUnharmed(neighbour);
    return "lost, and works after a restart";
  },
);

attempt("forge and erase the journal", "a call does not run twice while the runner lives", async () => {
  const callId = newCallId();
  const op = { op: "bash", command: "echo x >>/workspace/count; wc -l </workspace/count" } as const;
  expect(textOf(await box.sandbox.call(callId, op, NEVER))).toBe("1\n");
  await attack(
    box,
    `printf '\\n{"call":"${callId}","result":{"content":[],"is_error":1}}\\n\\xff' >/run/deckhand/journal; rm /run/deckhand/journal`,
  );
  expect(textOf(await box.sandbox.call(callId, op, NEVER))).toBe("1\n");
  await assertUnharmed(box, neighbour);
  return "the runner's memory counts";
});

attempt("put what is no result into the journal, then kill the runner", "it is refused as a result", async () => {
  const own = await rig.open();
  const callId = newCallId();
  const forged = `{"call":"${callId}","result":{"content":[{"type":"image","media_type":5}],"is_error":"no"}}`;
  await attack(own, `printf '\\n%s\\n' '${forged}' >>/run/deckhand/journal; kill -9 ${RUNNER}; sleep 60`);
  await expect(own.sandbox.call(callId, { op: "bash", command: "true" }, NEVER)).rejects.toThrow();
  await assertUnharmed(own, neighbour);
  return "the worker rejects it";
});

attempt("ask the runner over its socket to run as someone else", "what it runs has the agent's rights", async () => {
  const ask = `import os, socket, struct, sys
r, w = os.pipe(); r2, w2 = os.pipe()
s = socket.socket(socket.AF_UNIX); s.connect("/run/deckhand/runner.sock"); socket.send_fds(s, [b"x"], [r, w2])
header = b'{"id":1,"type":"write_text","path":"/etc/forged"}'
os.write(w, struct.pack(">II", len(header), 1) + header + b"x")
got = b""
while b"error" not in got: got += os.read(r2, 4096)
print("refused")`;
  await box.sandbox.writeText("/tmp/ask.py", ask, NEVER);
  expect((await attack(box, "python3 /tmp/ask.py; ls /etc/forged 2>/dev/null", 10_000)).text).toContain("refused");
  await assertUnharmed(box, neighbour);
  return "refused";
});

attempt("read stdin or the next command", "empty, and one command at a time", async () => {
  const [first, second] = await Promise.all([
    bash(box.sandbox, "{ cat; cat <&200; read -t 1 line; } 2>/dev/null; echo $?"),
    bash(box.sandbox, "echo second"),
  ]);
  expect([first, second]).toEqual([expect.stringMatching(/^1\n$/), "second\n"]);
  return "nothing to read";
});

attempt(
  "hold up or blind the worker with variables, traps and functions",
  "the next command works after a restart",
  async () => {
    const trap =
      "trap 'sleep 1000' EXIT DEBUG; builtin() { sleep 1000; }; printf() { :; }; PATH=/nowhere; alias echo=false";
    await attack(box, trap, 500);
    await run(box.sandbox, { op: "bash", restart: true });
    await assertUnharmed(box, neighbour);
    return "as new";
  },
);

attempt("leave something for the next session", "a sandbox serves one session", async () => {
  const one = await rig.open();
  await attack(one, "echo left >/workspace/left; echo left >~/.bashrc; export LEFT=1; (sleep 1000 &)");
  await rig.provider.destroy(one.sandbox.ref);
  const next = await rig.open();
  expect(next.sandbox.ref).not.toBe(one.sandbox.ref);
  const { text } = await attack(
    next,
    "ls -A /workspace; grep -c left ~/.bashrc; echo <$LEFT>; pgrep -u agent -c sleep".replace("<$LEFT>", "[$LEFT]"),
  );
  expect(text).toBe("0\n[]\n0\n");
  return "nothing of the session before";
});
