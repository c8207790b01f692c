import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { attemptsIn } from "./support/attempt.ts";
import { assertUnharmed, attack, type Box, type BoxRig, createBoxRig } from "./support/box-rig.ts";
import { NEVER } from "../support/sandboxes.ts";

const PROGRAM = "/home/agent/kernel_attempts.py";

const attempt = attemptsIn("kernel");
let rig: BoxRig;
let box: Box;
let neighbour: Box;
beforeAll(async () => {
  rig = await createBoxRig();
  [box, neighbour] = await Promise.all([rig.open(), rig.open()]);
  const program = await readFile(path.join(import.meta.dirname, "support/kernel_attempts.py"), "utf8");
  await box.sandbox.writeText(PROGRAM, program, NEVER);
});
afterAll(() => rig.close());

interface Row {
  attempt: string;
  expected: string;
  /** A shell command, or how the program of attempts at the kernel is called. */
  command: string;
  /** All that the command prints when it comes to what is expected. */
  seen: string | RegExp;
}

const REFUSED = "refused with EPERM";
const kernel = (name: string, asked: string): Row => {
  const seen = asked.split(" ").map((each) => `${each} EPERM\n`);
  return { attempt: name, expected: REFUSED, command: `python3 ${PROGRAM} calls ${asked}`, seen: seen.join("") };
};
const program = (name: string, asked: string, seen: string | RegExp, expected = REFUSED): Row => {
  return { attempt: name, expected, command: `python3 ${PROGRAM} ${asked}`, seen };
};
const shell = (name: string, expected: string, command: string, seen: string | RegExp): Row => {
  return { attempt: name, expected, command, seen };
};

const NAMESPACES = ["mount", "cgroup", "uts", "ipc", "user", "pid", "network"];
const CAPABILITY_SETS = ["Inh", "Prm", "Eff", "Bnd", "Amb"];

const IDENTITY: Row[] = [
  shell("be another user than the agent", "uid and gid 1000 only", "id -u; id -g; id -G", "1000\n1000\n1000\n"),
  shell(
    "hold a capability",
    "none in any set, no new privileges, a seccomp filter",
    "grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'",
    `${CAPABILITY_SETS.map((set) => `Cap${set}:${"0".repeat(16)}\n`).join("")}NoNewPrivs:1\nSeccomp:2\n`,
  ),
  program("become root by setuid, setgid, seteuid, setgroups", "become_root", "EPERM\n".repeat(4)),
  program("gain by programs that are setuid root", "setuid_programs", "True 1000\n", "each runs as the agent"),
  shell("become root by su", "asked for a password", "su -c 'echo inside' 2>&1 </dev/null", /^(?!.*inside)/),
  shell(
    "make a program of the system setuid",
    "not permitted",
    "chmod u+s /usr/bin/bash",
    /not permitted|Read-only file system/,
  ),
  program("raise limits of files, file size and core, and its priority", "raise_limits", /^(E(PERM|ACCES)\n){5}$/),
  shell(
    "make the kernel spare it when memory runs out",
    "denied",
    "{ echo -1000 >/proc/self/oom_score_adj; } 2>&1",
    /Permission denied/,
  ),
];

const OPEN_OF = `look() {
  for file in environ mem maps auxv; do { true <"/proc/$1/$file"; } 2>/dev/null && echo $file; done
  for link in cwd root exe ns/mnt ns/net; do readlink "/proc/$1/$link" >/dev/null && echo $link; done
  ls "/proc/$1/fd" 2>/dev/null | grep -q . && echo fd; true
}`;

const OTHER_PROCESSES: Row[] = [
  shell(
    "read environment, memory, folders and descriptors of pid 1",
    "ten open of its own, none of pid 1",
    `${OPEN_OF}; look $$ | wc -l; look 1 | wc -l`,
    "10\n0\n",
  ),
  kernel("trace pid 1, read and write its memory", "ptrace process_vm_readv process_vm_writev kcmp"),
  program("take a descriptor of pid 1", "steal_descriptor", "EPERM\n"),
  shell(
    "enter the namespaces of pid 1",
    "denied",
    "nsenter --target 1 --mount --net echo inside 2>&1",
    /^(?!.*inside)[^]*Permission denied/,
  ),
  shell(
    "find the engine's socket, or any other service's",
    "only its own two",
    "find / \\( -path /proc -o -path /sys \\) -prune -o -type s -print 2>/dev/null | sort; ls -d /run/docker* /run/containerd* 2>/dev/null; true",
    "/run/deckhand/runner.sock\n/run/egress/gateway.sock\n",
  ),
];

const DEVICES: Row[] = [
  shell(
    "find a disk, or a device that leads out",
    "only null, zero, full, random, tty",
    "find / \\( -path /proc -o -path /sys \\) -prune -o \\( -type b -o -type c \\) -print 2>/dev/null | sort",
    /^(\/dev\/(full|null|ptmx|pts\/ptmx|random|tty|urandom|zero)\n){7,8}$/,
  ),
  program("make a device node of the host's disk", "make_device", "EPERM\nEPERM\n"),
  shell(
    "read the kernel's memory by /dev/mem, /proc/kcore and /dev/kmsg",
    "no byte",
    "cat /dev/mem /dev/kmem /dev/kmsg /proc/kcore 2>/dev/null | head -c 100 | wc -c",
    "0\n",
  ),
  shell(
    "read addresses of the kernel from kallsyms and modules",
    "all zero",
    "awk '$1 ~ /[1-9a-f]/' /proc/kallsyms | wc -l; grep -sE '0x0*[1-9a-f]' /proc/modules | wc -l",
    "0\n0\n",
  ),
  kernel("read the kernel's log", "syslog"),
];

const NAMESPACE_CALLS: Row[] = [
  kernel("mount, by the old calls and the new", "mount fsopen open_tree move_mount mount_setattr"),
  kernel("unmount what hides parts of /proc", "umount2"),
  kernel("change its root", "chroot pivot_root"),
  program(
    "unshare any namespace",
    "unshare",
    new RegExp(`^${NAMESPACES.map((name) => `${name} EPERM\n`).join("")}time E(PERM|INVAL)\n$`),
  ),
  program("start a child in a user namespace", "clone", "clone EPERM\nclone3 ENOSYS\n", "refused, clone3 unknown"),
  kernel("join another namespace", "setns"),
  kernel("open a file of the host by its handle", "open_by_handle_at"),
  kernel("watch the host's files", "fanotify_init"),
];

const KERNEL_CALLS: Row[] = [
  kernel("use the host's key rings", "add_key request_key keyctl"),
  kernel("load programs into the kernel", "bpf perf_event_open"),
  kernel("stop the kernel in a page fault", "userfaultfd"),
  kernel("queue calls past the filter", "io_uring_setup"),
  kernel("load modules, or another kernel", "init_module finit_module delete_module kexec_load"),
  kernel("restart the host, change its swap, accounting, quota", "reboot swapon acct quotactl"),
  kernel("change the host's name and time", "sethostname settimeofday clock_settime"),
  shell(
    "restart the host by sysrq",
    "not writable",
    "{ echo h >/proc/sysrq-trigger; } 2>&1",
    /Permission denied|Read-only file system|No such file/,
  ),
];

const KERNEL_FILES: Row[] = [
  shell(
    "write to its cgroups, set a release agent, lift a limit",
    "nothing written",
    `for folder in $(find /sys/fs/cgroup -type d); do
       mkdir $folder/own && echo $folder/own
       for file in cgroup.procs release_agent notify_on_release memory.limit_in_bytes memory.max pids.max cpu.max cgroup.subtree_control; do
         [ -e $folder/$file ] && echo 1 >$folder/$file && echo $folder/$file
       done
     done 2>/dev/null; true`,
    "(no output)",
  ),
  shell(
    "find a file in /sys that it may write to",
    "none, unlike in /workspace",
    "find /sys /workspace -maxdepth 0 -writable; find /sys -not -type l -writable 2>/dev/null; true",
    "/workspace\n",
  ),
  shell(
    "change settings of the kernel, its core pattern and module loader above all",
    "nothing writable",
    `find /proc/sys /proc/irq /proc/bus /proc/fs /proc/acpi -writable 2>/dev/null
     for file in core_pattern modprobe hotplug; do echo /tmp/x >/proc/sys/kernel/$file && echo $file; done 2>/dev/null; true`,
    "(no output)",
  ),
  shell(
    "read keys, timers, disks and firmware of the host",
    "no byte",
    "cat /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats 2>/dev/null | wc -c; find /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap -type f 2>/dev/null | wc -l",
    "0\n0\n",
  ),
];

const FILES: Row[] = [
  shell(
    "write outside its own folders",
    "no folder and no file of the system",
    `find / \\( -path /proc -o -path /sys \\) -prune -o -not -type l -writable -print 2>/dev/null |
       grep -vE '^/(workspace|home/agent|mnt/session/outputs|tmp|var/tmp|run/lock|run/deckhand|run/egress/gateway.sock|dev/shm|dev/mqueue)(/|$)' | grep -v ^/dev/; true`,
    "(no output)",
  ),
  shell("read the system's secrets", "denied", "cat /etc/shadow /etc/gshadow /root/.* 2>/dev/null | wc -c", "0\n"),
  shell(
    "run a program from where only data belongs",
    "no setuid program or device counts there",
    "for folder in /workspace /tmp /dev/shm; do findmnt -no OPTIONS -T $folder | grep -o nosuid; done; true",
    /^(nosuid\n){1,3}$/,
  ),
];

const rows = [
  ...IDENTITY,
  ...OTHER_PROCESSES,
  ...DEVICES,
  ...NAMESPACE_CALLS,
  ...KERNEL_CALLS,
  ...KERNEL_FILES,
  ...FILES,
];
for (const row of rows) {
  attempt(row.attempt, row.expected, async () => {
    const { text } = await attack(box, row.command);
    if (typeof row.seen === "string") expect(text).toBe(row.seen);
    else expect(text).toMatch(row.seen);
    await assertUnharmed(box, neighbour);
    return "as expected";
  });
}

/** A pattern for `text` that a hunt does not find in itself. */
function unlikeItself(text: string): string {
  return `[${text.slice(0, 1)}]${text.slice(1)}`;
}

/** The folders of this sandbox's own on the host, and the engine's store. No name in them is a secret or of use inside. */
function isIntended(source: string, { slot }: Box): boolean {
  const folder = path.join(rig.gatewayRoot, slot);
  if (source === folder || source === path.join(folder, "hosts")) return true;
  return /^\/$|\/containers\/[0-9a-f]{64}\/(hostname|hosts|resolv\.conf)$|^\/(workspace|home|session|tmp|vartmp|run)$|^\/docker(\/[0-9a-f]{64})?$|docker-init$|tini-static$|^\/(bus|fs|irq|sys|null)$/.test(
    source,
  );
}

attempt("learn about the host from its mounts", "paths of its own slot and the engine's store only", async () => {
  const { text } = await attack(box, "cat /proc/self/mountinfo");
  const sources = text
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[3] ?? "");
  expect(sources.filter((source) => !isIntended(source, box))).toEqual([]);
  expect(sources).toContain(path.join(rig.gatewayRoot, box.slot));
  return `${sources.length} mounts`;
});

attempt("learn from its environment", "only what programs need", async () => {
  const proxies =
    "ALL_PROXY HTTPS_PROXY HTTP_PROXY NODE_USE_ENV_PROXY NO_PROXY http_proxy https_proxy no_proxy all_proxy";
  const certificates = "CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE";
  const programs = "HOME HOSTNAME LANG LD_LIBRARY_PATH MPLBACKEND NODE_OPTIONS NODE_PATH NPM_CONFIG_PREFIX OLDPWD PATH";
  const others = "PIP_BREAK_SYSTEM_PACKAGES PWD SHLVL _";
  const known = [proxies, certificates, programs, others].join(" ").split(" ");
  const names = (await attack(box, "env -0 | tr '\\0' '\\n' | cut -d= -f1; hostname")).text.trim().split("\n");
  expect(names.filter((name) => !known.includes(name))).toEqual(["sandbox"]);
  expect(names.length).toBeGreaterThan(15);
  return `${names.length - 1} names`;
});

attempt("learn whose sandboxes there are", "no id of its own session, nor any of the neighbour's", async () => {
  const everything =
    "{ env; hostname; set; find / \\( -path /proc -o -path /sys -o -path /usr \\) -prune -o -print; cat /proc/*/environ /proc/*/cmdline /proc/self/mountinfo /proc/self/cgroup; cat /run/deckhand/*; } 2>/dev/null | tr '\\0' '\\n'";
  const names = [box.sessionId, neighbour.sessionId, neighbour.slot, neighbour.sandbox.ref];
  const { text } = await attack(
    box,
    `${everything} | grep -cE '${names.map(unlikeItself).join("|")}'; ${everything} | wc -l`,
  );
  expect(text).toMatch(/^0\n\d{4,}\n$/);
  return "not one in all it can read";
});

attempt("find what the neighbour wrote", "in no folder, shared memory or process", async () => {
  const mark = `mark${neighbour.slot.split("").reverse().join("")}`;
  const folders = [
    "/workspace",
    "/home/agent",
    "/tmp",
    "/var/tmp",
    "/mnt/session/outputs",
    "/dev/shm",
    "/run/deckhand",
  ];
  const put = folders.map((folder) => `echo ${mark} >${folder}/${mark}`).join(" && ");
  await attack(neighbour, `${put}; (exec -a ${mark} sleep 60) &`);
  const hunt = `grep -rls '${unlikeItself(mark)}' ${folders.join(" ")} /var /run /proc/[0-9]*/cmdline | wc -l`;
  expect(Number((await attack(neighbour, hunt)).text)).toBeGreaterThan(folders.length);
  expect((await attack(box, hunt)).text).toBe("0\n");
  await attack(neighbour, `pkill -f ${mark}; rm ${folders.map((folder) => `${folder}/${mark}`).join(" ")}`);
  return "nothing found";
});
