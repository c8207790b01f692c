import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { SandboxLostError } from "../../src/sandbox/sandbox.ts";
import { bash, NEVER, run } from "../support/sandboxes.ts";
import { attemptsIn } from "./support/attempt.ts";
import { assertUnharmed, attack, type Box, type BoxRig, createBoxRig } from "./support/box-rig.ts";

const MIB = 1024 ** 2;
/** Small, so that all of it is soon used up. */
const LIMITS = { memoryBytes: 512 * MIB, sharedMemoryBytes: 64 * MIB, pids: 128, cpus: 1 };
/** A silent runner is given up after twenty seconds. */
const LOST_TIMEOUT_MS = 90_000;
const FULL = /No space left on device|File too large|File size limit/;

const attempt = attemptsIn("resources");
let rig: BoxRig;
let neighbour: Box;
beforeAll(async () => {
  rig = await createBoxRig();
  neighbour = await rig.open(LIMITS);
});
afterAll(() => rig.close());

/** Whether a sandbox still works, or is lost and works again once it is joined anew, as a session would do. */
async function recovers({ sandbox }: Box): Promise<string> {
  try {
    expect(await bash(sandbox, "echo $((6 * 7)) | cat")).toBe("42\n");
    return "the sandbox lives";
  } catch (error) {
    expect(error).toBeInstanceOf(SandboxLostError);
    const again = await rig.provider.attach(sandbox.ref, NEVER);
    expect(again && (await bash(again, "echo $((6 * 7)) | cat"))).toBe("42\n");
    return "the sandbox was lost, and works after a restart";
  }
}

/** Runs `command` in a sandbox of its own while the neighbour goes on working. */
async function bomb(command: string, timeoutMs: number): Promise<string> {
  const box = await rig.open(LIMITS);
  const over = new AbortController();
  const outcome = attack(box, command, timeoutMs)
    .then(({ text }) => text.trim().split("\n").at(-1) ?? "")
    .catch((error: unknown) => {
      expect(error).toBeInstanceOf(SandboxLostError);
      return "lost";
    })
    .finally(() => over.abort());
  let answers = 0;
  for (; !over.signal.aborted; answers++) await assertUnharmed(neighbour);
  expect(answers).toBeGreaterThan(0);
  const said = (await outcome).slice(0, 60);
  const afterwards = await recovers(box);
  await rig.provider.destroy(box.sandbox.ref);
  return `${said}; ${afterwards}; the neighbour answers`;
}

describe.concurrent("bombs", () => {
  const bombs: [string, string, number][] = [
    ["fork without end", "bomb() { bomb | bomb & }; bomb; sleep 1000", 3_000],
    [
      "fork children that move to sessions of their own",
      "python3 -c 'import os\nwhile True:\n  try:\n    if os.fork() == 0: os.setsid()\n  except OSError: pass'",
      3_000,
    ],
    ["hog every processor", "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait", 2_000],
    [
      "hold memory that belongs to no process, in System V segments",
      `python3 -c 'import ctypes
c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p
for i in range(40):
  s = c.shmget(0, 1 << 24, 0o1600); a = c.shmat(s, None, 0); ctypes.memset(a, 1, 1 << 24)'`,
      20_000,
    ],
    [
      "kill whatever answers, without end",
      "setsid bash -c 'while :; do pkill -9 python3; done' >/dev/null 2>&1 & sleep 1000",
      3_000,
    ],
    ["stop the runner", "pkill -STOP python3; sleep 1000", 2_000],
  ];
  for (const [name, command, timeoutMs] of bombs) {
    attempt(name, "ended in bounded time, the neighbour works meanwhile", () => bomb(command, timeoutMs), {
      timeout: LOST_TIMEOUT_MS,
    });
  }
});

describe("what there is only so much of", () => {
  let box: Box;
  beforeAll(async () => {
    box = await rig.open(LIMITS);
  });

  interface Row {
    attempt: string;
    expected: string;
    command: string;
    seen: RegExp;
    timeoutMs?: number;
  }
  const WRITABLE = ["/workspace", "/home/agent", "/tmp", "/var/tmp", "/mnt/session/outputs", "/run/deckhand"];
  const rows: Row[] = [
    {
      attempt: "take more memory than it has",
      expected: "killed, and told why",
      command: "python3 -c 'x = bytearray(10**9)'",
      seen: /Killed: out of memory/,
    },
    {
      attempt: "fill shared memory",
      expected: "full at its limit",
      command:
        "for i in 1 2 3; do cat /dev/zero >/dev/shm/$i; done 2>/dev/null; df --output=used -k /dev/shm; rm /dev/shm/*",
      seen: new RegExp(`\\n *${LIMITS.sharedMemoryBytes / 1024}\\n`),
    },
    ...WRITABLE.map((folder) => ({
      attempt: `fill the disk in ${folder}`,
      expected: "full at its limit",
      command: `cat /dev/zero >${folder}/fill; rm ${folder}/fill`,
      seen: FULL,
    })),
    {
      attempt: "fill the disk with a file that is deleted but open",
      expected: "full, and free again afterwards",
      command:
        "bash -c 'exec 9>/tmp/held; rm /tmp/held; cat /dev/zero >&9'; head -c 20M /dev/zero >a && rm a && echo free",
      seen: /(No space|too large|limit)[^]*free/,
    },
    {
      attempt: "fill the disk with empty files",
      expected: "full, and free again afterwards",
      command: `mkdir m; python3 -c 'import os\nfor i in range(200000): os.close(os.open(f"m/{i}", os.O_CREAT))' 2>&1 | tail -n 1; ls m | wc -l; rm -r m; echo free`,
      seen: /No space left on device[^]*\n\d{3,5}\nfree/,
    },
    {
      attempt: "reserve the whole host's disk",
      expected: "refused",
      command: "fallocate -l 1T big; truncate -s 1T big; rm -f big",
      seen: /(limit|large|space)[^]*(limit|large|space)/,
    },
    {
      attempt: "keep the disk full while its tools are used",
      expected: "tools answer, and can make room",
      command: "cat /dev/zero >fill 2>/dev/null; seq 20000 | tail -n 1; echo no >x; rm fill; echo yes >x; cat x; rm x",
      seen: /^20000\n[^]*yes\n$/,
    },
    {
      attempt: "unpack a zip bomb",
      expected: "stopped by the disk's size",
      command: `python3 -c 'import zipfile
with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
  with z.open("zeros", "w") as f:
    for i in range(300): f.write(bytes(1 << 20))'
ls -s bomb.zip; unzip -o bomb.zip 2>&1 | tail -n 3; rm -f zeros bomb.zip`,
      seen: /write error|disk full|No space|too large/i,
    },
    {
      attempt: "start processes and threads without end",
      expected: "refused at its limit",
      command: `python3 -c 'import threading, time\nn = 0
try:
  while n < 1000: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start(); n += 1
except RuntimeError: pass
print(10 < n < ${LIMITS.pids})'`,
      seen: /^True\n$/,
    },
    {
      attempt: "fill the disk with many files",
      expected: "full, and free again afterwards",
      command:
        "mkdir m; for i in $(seq 200); do head -c 1M /dev/zero >m/$i || break; done; ls m | wc -l; rm -r m; echo free",
      seen: /No space left on device\n[1-6]\d\nfree\n$/,
    },
    {
      attempt: "open files without end",
      expected: "refused at its limit",
      command: `python3 -c 'import itertools, os\ntry:\n  for n in itertools.count(): os.dup(0)\nexcept OSError as e: print(n < 5000, e.strerror)'`,
      seen: /^True Too many open files\n$/,
    },
    {
      attempt: "map and lock memory without end",
      expected: "refused at its limit",
      command: `python3 -c 'import ctypes, mmap
m = mmap.mmap(-1, 1 << 28); b = (ctypes.c_char * (1 << 28)).from_buffer(m)
print(ctypes.CDLL(None).mlock(b, 1 << 28))'`,
      seen: /^-1\n$/,
    },
    {
      attempt: "print a gigabyte",
      expected: "cut inside the sandbox",
      command: "yes 'a line of text' | head -c 1000000000",
      seen: /^\[output truncated\]\n[^]{1000,110000}$/,
    },
    {
      attempt: "print without end and without a line's end",
      expected: "cut, and stopped by its time",
      command: "tr '\\0' x </dev/zero",
      seen: /^\[output truncated\]\n?x[^]{1000,110000}timed out after 1500ms$/,
      timeoutMs: 1_500,
    },
  ];
  for (const row of rows) {
    attempt(row.attempt, row.expected, async () => {
      const before = process.memoryUsage().rss;
      const { text } = await attack(box, row.command, row.timeoutMs);
      expect(text).toMatch(row.seen);
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
      expect(await bash(box.sandbox, "pgrep -u agent -c 'yes|tr|cat'; true")).toBe("0\n");
      await assertUnharmed(box, neighbour);
      return "as expected";
    });
  }

  attempt("fill the disk with uploads of a liar", "an upload that is not of its size is refused", async () => {
    const zeros = () => Readable.from(Array.from({ length: 8 }, () => Buffer.alloc(MIB)));
    await expect(box.sandbox.putUpload("liar", zeros(), 1000, NEVER)).rejects.toThrow();
    await expect(box.sandbox.putUpload("liar", zeros(), 9 * MIB, NEVER)).rejects.toThrow();
    await assertUnharmed(box, neighbour);
    return "refused";
  });

  attempt(
    "use up what the kernel counts for all of one user: descriptors on their way, inotify, pipes",
    "the neighbour can be joined and used",
    async () => {
      const hoard = `import array, ctypes, os, socket, sys, time
libc, kept = ctypes.CDLL(None), []
while libc.inotify_init() >= 0: pass
try:
  while True:
    pair = socket.socketpair(); kept.append(pair)
    for i in range(200): pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))], socket.MSG_DONTWAIT)
except OSError as e: print("stopped", flush=True)
time.sleep(60)`;
      await box.sandbox.writeText("/tmp/hoard.py", hoard, NEVER);
      const hoarded = "until grep -q stopped hoarded; do sleep 0.05; done; cat hoarded";
      const begin = "for i in 1 2 3; do setsid python3 /tmp/hoard.py >>hoarded 2>&1 & done";
      expect((await attack(box, `${begin}; ${hoarded}`, 10_000)).text).toContain("stopped");
      const joined = await rig.provider.attach(neighbour.sandbox.ref, NEVER);
      expect(joined && (await bash(joined, "echo joined; git --version | wc -l"))).toBe("joined\n1\n");
      await joined?.detach();
      await attack(box, "pkill -f hoard; rm hoarded");
      await assertUnharmed(box, neighbour);
      return "joined and used";
    },
  );

  attempt("outlive its time in the background, in other sessions, doubly forked", "nothing is left", async () => {
    const hidden =
      "setsid sleep 1001 & (setsid sh -c 'sleep 1002 & sleep 1003' &); nohup sleep 1004 & (trap '' TERM HUP; sleep 1005) & python3 -c 'import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(1006)'; ";
    const { text } = await attack(box, `${hidden} sleep 1000`, 500);
    expect(text).toContain("timed out after 500ms");
    expect(await bash(box.sandbox, "pgrep -u agent -c 'sleep|python3'; pgrep -u agent -c sleep")).toMatch(/^\d\n0\n/);
    await assertUnharmed(box, neighbour);
    return "all killed";
  });

  attempt("run on in the background after its command", "it is kept, within the sandbox's limits", async () => {
    await attack(box, "for i in 1 2 3 4; do setsid bash -c 'while :; do :; done' & done");
    await assertUnharmed(box, neighbour);
    const throttled =
      "cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null | awk '/nr_throttled/ {print ($2 > 0)}'";
    await vi.waitFor(async () => expect(await bash(box.sandbox, throttled)).toBe("1\n"), { timeout: 10_000 });
    await run(box.sandbox, { op: "bash", restart: true });
    return "throttled to its one processor";
  });
});
