import { Readable } from "node:stream";
import { text as textFrom } from "node:stream/consumers";
import { afterAll, beforeAll, expect } from "vitest";
import type { SandboxOp } from "../../src/sandbox/sandbox.ts";
import { bash, NEVER, run, textOf } from "../support/sandboxes.ts";
import { attemptsIn } from "./support/attempt.ts";
import { assertUnharmed, attack, type Box, type BoxRig, createBoxRig } from "./support/box-rig.ts";

const outputs = attemptsIn("outputs");
const tools = attemptsIn("tools");
const uploads = attemptsIn("uploads");
let rig: BoxRig;
let box: Box;
let neighbour: Box;
beforeAll(async () => {
  rig = await createBoxRig();
  [box, neighbour] = await Promise.all([rig.open(), rig.open()]);
});
afterAll(() => rig.close());

const OUT = "/mnt/session/outputs";
const listed = async () => (await box.sandbox.listOutputs(NEVER)).map(({ path }) => path);

/** What is put beside a real file, none of which is to be delivered. */
const TRAPS: [string, string][] = [
  ["a link to a file of the system", "ln -s /etc/passwd trap; ln -s ../../../etc/hostname up"],
  ["a link to a folder of the system", "ln -s / trap; ln -s /etc etc"],
  [
    "a hard link to a file elsewhere",
    "echo x >/mnt/session/outputs/../outputs/trap; ln trap trap2; ln /etc/shadow s 2>/dev/null",
  ],
  ["a fifo that would block its reader", "mkfifo trap"],
  ["a socket", `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("trap")'`],
  ["a sparse file of the disk's size", "truncate -s 60M trap"],
  [
    "a name with a line break, and other control characters",
    String.raw`echo x >$'tr\nap'; echo x >$'tr\eap'; echo x >$'tr\tap'`,
  ],
  ["a name that is not UTF-8, or turns its direction", String.raw`echo x >$'\xff\xfe'; echo x >$'tr\u202eap'`],
  ["a hidden file, and a folder of such", "echo x >.trap; mkdir .t; echo x >.t/trap"],
];
for (const [name, trap] of TRAPS) {
  outputs(`deliver ${name}`, "left out", async () => {
    await attack(box, `cd ${OUT} && rm -rf ./* ./.[!.]* && echo ok >real; ${trap}; cd /workspace`);
    expect(Number((await attack(box, `ls -A ${OUT} | wc -l`)).text)).toBeGreaterThan(1);
    expect(await listed()).toEqual(["real"]);
    await assertUnharmed(box, neighbour);
    return "only the real file is listed";
  });
}

outputs("deliver files without end", "500 at most", async () => {
  await attack(box, `cd ${OUT} && rm -rf ./* ./.[!.]* && seq 5000 | xargs touch; cd /workspace`);
  expect(await listed()).toHaveLength(500);
  await attack(box, `rm -rf ${OUT}/*`);
  return "500 are listed";
});

outputs("deliver names of 255 bytes in folders without end", "listed down to a bound", async () => {
  const deep = "d/".repeat(300);
  const name = "n".repeat(255);
  await attack(box, `cd ${OUT} && echo x >${name}; mkdir -p ${deep}; echo x >${deep}deep; cd /workspace`);
  expect(await listed()).toEqual([name]);
  await attack(box, `rm -rf ${OUT}/*`);
  return "the plain one only";
});

const SWAPS: [string, string][] = [
  ["a link to a file of the system", "rm f; ln -s /etc/passwd f"],
  ["a fifo", "rm f; mkfifo f"],
  ["a hard link", "ln f /mnt/session/outputs/g"],
  ["another file of the same size", "printf fake >g; mv g f"],
];
for (const [name, swap] of SWAPS) {
  outputs(`swap a listed file for ${name} before it is read`, "an error", async () => {
    await attack(box, `cd ${OUT} && rm -rf ./* && printf true >f; cd /workspace`);
    const [file] = await box.sandbox.listOutputs(NEVER);
    if (!file) throw new Error("not listed");
    await attack(box, `cd ${OUT}; ${swap}; cd /workspace`);
    await expect(textFrom(Readable.from(box.sandbox.readOutput(file, NEVER)))).rejects.toThrow("f:");
    await assertUnharmed(box, neighbour);
    return "not read";
  });
}

outputs("swap the folder of a listed file for a link, and outputs itself", "an error, and it stays", async () => {
  await attack(box, `cd ${OUT} && rm -rf ./* && mkdir d && printf true >d/passwd; cd /workspace`);
  const [file] = await box.sandbox.listOutputs(NEVER);
  if (!file) throw new Error("not listed");
  await attack(
    box,
    `cd ${OUT}; rm -r d; ln -s /etc d; cd /mnt/session; mv outputs x; rm -rf outputs; ln -s /etc outputs; cd /workspace`,
  );
  await expect(textFrom(Readable.from(box.sandbox.readOutput(file, NEVER)))).rejects.toThrow("d/passwd");
  expect(await bash(box.sandbox, `stat -c '%F %U' ${OUT}`)).toBe("directory agent\n");
  return "not read, not moved";
});

outputs("have a file read that no listing had", "refused", async () => {
  for (const path of ["../../../etc/passwd", "/etc/passwd", "a/../../../../etc/passwd", "", ".", "f\0"]) {
    const read = box.sandbox.readOutput({ path, size: 10, mtimeNs: "1" }, NEVER);
    await expect(textFrom(Readable.from(read))).rejects.toThrow();
  }
  return "all six";
});

/** Calls that must fail, and may not show what is at their target. */
const SECRET = /root:[*$!x]|PATH=|SHELL=/;
const ESCAPES: [string, SandboxOp[]][] = [
  [
    "read the system's secrets by read, absolutely, upwards and by links",
    ["/etc/shadow", "../../etc/shadow", "/workspace/../etc/shadow", "chain", "/proc/1/root/etc/shadow"].map(
      (file_path) => ({ op: "read", file_path }),
    ),
  ],
  [
    "read what the kernel makes up: environments, memory, descriptors",
    ["/proc/1/environ", "/proc/self/environ", "/proc/self/mem", "/proc/1/maps", "/sys/kernel/notes", "environ"].map(
      (file_path) => ({ op: "read", file_path }),
    ),
  ],
  [
    "read a fifo, a device, a folder, a socket",
    ["fifo", "/dev/zero", "/dev/tty", "/workspace", "/run/egress/gateway.sock"].map((file_path) => ({
      op: "read",
      file_path,
    })),
  ],
  [
    "write to the system, upwards and by links",
    [
      "/etc/passwd",
      "../../etc/new",
      "chain",
      "/proc/self/oom_score_adj",
      "/sys/x",
      "etc/new",
      "/root/.ssh/authorized_keys",
      "fifo",
    ].map((file_path) => ({ op: "write", file_path, content: "x" })),
  ],
  [
    "edit the system's files",
    ["/etc/passwd", "../../etc/hostname", "chain", "/proc/self/comm"].map((file_path) => ({
      op: "edit",
      file_path,
      old_string: "root",
      new_string: "x",
    })),
  ],
  [
    "use the runner's own folder",
    [
      { op: "write", file_path: "/run/deckhand/journal", content: "x" },
      { op: "write", file_path: "runner/journal", content: "x" },
      { op: "read", file_path: "/run/deckhand/journal" },
      { op: "edit", file_path: "/run/deckhand/runner.log", old_string: "a", new_string: "b" },
    ],
  ],
  ["replace the gateway's certificate", [{ op: "write", file_path: "/run/egress/ca.pem", content: "x" }]],
  [
    "hide a path behind NUL",
    [
      { op: "read", file_path: "/workspace/a\0/../../etc/passwd" },
      { op: "write", file_path: "a\0b", content: "x" },
      { op: "bash", command: "echo a\0b" },
      { op: "grep", pattern: "a\0b" },
    ],
  ],
  [
    "search the system's secrets",
    [
      { op: "grep", pattern: "root:", path: "/etc/shadow" },
      { op: "grep", pattern: "-f/etc/shadow", path: "/no" },
    ],
  ],
  [
    "clone from a path, or with a program for git to run",
    [
      { op: "clone", url: "file:///etc", path: "clone1", checkout: null, timeout_ms: 5_000 },
      { op: "clone", url: "ext::sh -c id", path: "clone2", checkout: null, timeout_ms: 5_000 },
      { op: "clone", url: "--upload-pack=id", path: "clone3", checkout: null, timeout_ms: 5_000 },
    ],
  ],
];
for (const [name, calls] of ESCAPES) {
  tools(name, "each call fails", async () => {
    await attack(
      box,
      "ln -sfn /etc/shadow link; ln -sfn link chain; ln -sfn /proc/1/environ environ; ln -sfn /etc etc; ln -sfn /run/deckhand runner; [ -p fifo ] || mkfifo fifo",
    );
    for (const op of calls) {
      const result = await run(box.sandbox, op);
      expect({ op, isError: result.isError }).toEqual({ op, isError: true });
      expect(textOf(result)).not.toMatch(SECRET);
    }
    await assertUnharmed(box, neighbour);
    return `${calls.length} calls failed`;
  });
}

tools("have glob and grep walk without end, through links that go in circles", "they end", async () => {
  await attack(box, "mkdir -p loop/a; ln -sfn .. loop/a/up; ln -sfn / loop/root; echo needle >loop/a/f");
  expect(textOf(await run(box.sandbox, { op: "glob", pattern: "**/f", path: "loop" }))).toBe("/workspace/loop/a/f");
  expect(textOf(await run(box.sandbox, { op: "grep", pattern: "needle", path: "loop" }))).toBe("loop/a/f:1:needle\n");
  await assertUnharmed(box, neighbour);
  return "links are not followed";
});

uploads("place an upload outside its folder", "refused", async () => {
  for (const path of [
    "../outside",
    "/etc/passwd",
    "a/../../outside",
    "/mnt/session/uploads/../outputs/x",
    "",
    "a\0b",
  ]) {
    await expect(box.sandbox.putUpload(path, Readable.from(["x"]), 1, NEVER)).rejects.toThrow();
  }
  expect((await attack(box, "ls -A /mnt/session/outside /mnt/session/outputs/x 2>/dev/null; true")).text).toBe(
    "(no output)",
  );
  return "all six";
});

uploads("change, replace or remove an upload", "not permitted", async () => {
  await box.sandbox.putUpload("deep/report.txt", Readable.from(["figures"]), 7, NEVER);
  const changes = [
    "echo x >>report.txt",
    "rm -f report.txt",
    "mv report.txt x",
    "ln -sf /etc/passwd report.txt",
    "chmod 777 report.txt",
    "mv ../deep ../d",
    "ln -sfn /etc /mnt/session/uploads",
  ];
  const { text } = await attack(
    box,
    `cd /uploads/deep; for change in ${changes.map((each) => `'${each}'`).join(" ")}; do eval "$change" 2>/dev/null && echo "$change"; done; cat report.txt; cd /workspace`,
  );
  expect(text.replace(/^ln -sfn.*\n/, "")).toBe("figures");
  return "as it was";
});

uploads("unpack an archive with absolute names, .. and links", "nothing outside its folder changes", async () => {
  const make = `import io, tarfile
with tarfile.open("evil.tar", "w") as t:
    for name in ("/etc/evil", "../../etc/evil", "/mnt/session/uploads/evil"):
        i = tarfile.TarInfo(name); i.size = 1; t.addfile(i, io.BytesIO(b"x"))
    i = tarfile.TarInfo("device"); i.type = tarfile.BLKTYPE; i.devmajor = 254; t.addfile(i)
    i = tarfile.TarInfo("setuid"); i.mode = 0o4755; i.uid = 0; t.addfile(i)`;
  await box.sandbox.writeText("/workspace/evil.py", make, NEVER);
  await attack(box, "python3 evil.py; mkdir -p unpacked; tar -xPf evil.tar -C unpacked 2>/dev/null");
  const { text } = await attack(
    box,
    "find /etc/evil /mnt/session/uploads/evil 2>/dev/null; find unpacked -type b -o -uid 0; findmnt -no OPTIONS -T unpacked | grep -oE 'nosuid|nodev'",
  );
  expect(
    text
      .split("\n")
      .filter(Boolean)
      .every((line) => line === "nosuid" || line === "nodev"),
  ).toBe(true);
  await assertUnharmed(box, neighbour);
  return "nothing outside";
});
