import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { attemptsIn } from "./support/attempt.ts";
import { assertUnharmed, attack, type Box, type BoxRig, createBoxRig, WAY_OUT } from "./support/box-rig.ts";
import { NEVER } from "../support/sandboxes.ts";

const execute = promisify(execFile);

const KERNEL = "/home/agent/kernel_attempts.py";
const NETWORK = "/home/agent/network_attempts.py";

const attempt = attemptsIn("network");
let rig: BoxRig;
let box: Box;
let neighbour: Box;
/** On every address of the host, and whether anybody came. */
let service: Server;
let datagrams: Socket;
let visits = 0;
const port = () => portOf(service.address());

beforeAll(async () => {
  rig = await createBoxRig();
  [box, neighbour] = await Promise.all([rig.open(), rig.open()]);
  for (const [target, file] of [[KERNEL, "kernel_attempts.py"] as const, [NETWORK, "network_attempts.py"] as const]) {
    const program = await readFile(path.join(import.meta.dirname, "support", file), "utf8");
    await Promise.all([box, neighbour].map(({ sandbox }) => sandbox.writeText(target, program, NEVER)));
  }
  service = createServer((socket) => socket.destroy(void visits++)).listen(0, "::");
  await once(service, "listening");
  datagrams = createSocket({ type: "udp6" }, (_, { port: to, address }) => {
    visits++;
    datagrams.send("answer", to, address);
  });
  await new Promise<void>((resolve) => datagrams.bind(port(), "::", resolve));
});
afterAll(async () => {
  service.close();
  datagrams.close();
  await rig.close();
});

function portOf(address: ReturnType<Server["address"]>): number {
  return typeof address === "object" && address ? address.port : 0;
}

/** Those by which the host's services could be reached, the engine's bridge among them. */
function hostAddresses(): string[] {
  const found = Object.values(os.networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
  return [...new Set([...found, "172.17.0.1", "127.0.0.1", "::1"])];
}

/** Makes the attempt and expects that of `places` none answered. */
async function none(asked: string, places: string[]): Promise<string> {
  const before = visits;
  const { text } = await attack(box, `python3 ${NETWORK} ${asked} ${places.join(" ")}`);
  expect(text).toBe(`tried ${places.length}\n`);
  expect(visits).toBe(before);
  await assertUnharmed(box, neighbour);
  return "none answered";
}

interface Row {
  attempt: string;
  expected: string;
  command: string;
  seen: string | RegExp;
}
const rows: Row[] = [
  {
    attempt: "find a network interface or a route",
    expected: "loopback only, no route",
    command: "ls -A /sys/class/net; tail -n +2 /proc/net/route; grep -vw lo /proc/net/ipv6_route; true",
    seen: "lo\n",
  },
  {
    attempt: "open packet and raw sockets",
    expected: "refused with EPERM",
    command: `python3 ${KERNEL} sockets`,
    seen: "packet EPERM\nraw EPERM\nraw6 EPERM\n",
  },
  {
    attempt: "talk to the hypervisor and past network namespaces by vsock",
    expected: "refused with EPERM",
    command: `python3 ${KERNEL} vsock`,
    seen: "EPERM\n",
  },
  {
    attempt: "give itself an address, a route, a bridge",
    expected: "refused with EPERM",
    command: `python3 ${KERNEL} configure_network`,
    seen: "EPERM\n".repeat(3),
  },
  {
    attempt: "make a tunnel",
    expected: "no such device",
    command: "{ true <>/dev/net/tun; } 2>&1",
    seen: /No such file/,
  },
  {
    attempt: "resolve names, those of the host and the metadata service too",
    expected: "none",
    command: "getent hosts example.com host.docker.internal metadata.google.internal; echo $?",
    seen: "2\n",
  },
  {
    attempt: "remove, rename, replace the gateway's socket, its folder or its certificate",
    expected: "read-only",
    command: `cd /run/egress; for change in "rm -f gateway.sock" "mv gateway.sock x" "ln -sf /tmp/x gateway.sock" "touch new" "mkdir new" \\
      "cp /etc/hostname ca.pem" "rm -f ca.pem" "chmod 600 gateway.sock" "mv /run/egress /run/x" "rmdir /run/egress"; do $change 2>/dev/null && echo $change; done
      ls /run/egress; cd /workspace; grep ' /run/egress ' /proc/self/mountinfo | grep -c ' ro,'`,
    seen: "ca.pem\ngateway.sock\nhosts\n1\n",
  },
];
for (const row of rows) {
  attempt(row.attempt, row.expected, async () => {
    const { text } = await attack(box, row.command);
    if (typeof row.seen === "string") expect(text).toBe(row.seen);
    else expect(text).toMatch(row.seen);
    await assertUnharmed(box, neighbour);
    return row.expected;
  });
}

attempt("use its own way out", "the gateway answers", async () => {
  expect((await attack(box, "curl -sS -m 10 http://example.com/")).text).toBe(WAY_OUT);
  return "the gateway answered";
});

attempt("reach metadata services", "no route", () =>
  none("tcp", ["169.254.169.254", "80", "169.254.170.2", "80", "100.100.100.200", "80", "fd00:ec2::254", "80"]),
);

attempt("reach a service of the host on every address of the host", "none answers", async () => {
  const own = Object.values(os.networkInterfaces()).flatMap((each) => (each ?? []).filter(({ scopeid }) => !scopeid));
  for (const { address } of own) connect(port(), address).on("error", () => {});
  await vi.waitFor(() => expect(visits).toBe(own.length)); // from outside they are reached
  return none(
    "tcp",
    hostAddresses().flatMap((address) => [address, String(port())]),
  );
});

attempt("reach it by IPv4 in IPv6", "none answers", () => {
  const v4 = hostAddresses().filter((address) => !address.includes(":"));
  return none(
    "tcp",
    v4.flatMap((address) => [`::ffff:${address}`, String(port()), `64:ff9b::${address}`, String(port())]),
  );
});

attempt("reach the internet by IPv4 and IPv6", "no route", () =>
  none("tcp", ["1.1.1.1", "443", "8.8.8.8", "53", "2606:4700:4700::1111", "443", "ff02::1", "80"]),
);

attempt("send DNS and other datagrams to the host and the internet", "no answer", () => {
  const places = hostAddresses().flatMap((address) => [address, String(port())]);
  return none("udp", [...places, "8.8.8.8", "53", "127.0.0.11", "53", "2001:4860:4860::8888", "53"]);
});

attempt("reach the engine's ports", "none answers", () =>
  none(
    "tcp",
    hostAddresses().flatMap((address) => [address, "2375", address, "2376", address, "22", address, "5432"]),
  ),
);

attempt("reach a server in another sandbox", "none answers", async () => {
  const serve = "cd /tmp; setsid python3 -m http.server 8123 --bind 0.0.0.0 >/dev/null 2>&1 & cd /workspace";
  const ready = "for i in $(seq 100); do curl -so /dev/null localhost:8123 && break; sleep 0.05; done; echo $?";
  await attack(neighbour, serve);
  expect((await attack(neighbour, ready)).text).toBe("0\n");
  const result = await none(
    "tcp",
    hostAddresses().flatMap((address) => [address, "8123"]),
  );
  await attack(neighbour, "pkill -f 8123");
  return result;
});

attempt("reach abstract sockets of the host and of another sandbox", "none answers", async () => {
  const name = `deckhand-${box.slot}`;
  const listener = createServer().listen(`\0${name}`);
  await once(listener, "listening");
  const theirs = `python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("\\0theirs"); s.listen(); time.sleep(60)'`;
  await attack(neighbour, `${theirs} >/dev/null 2>&1 & until grep -q @theirs /proc/net/unix; do sleep 0.05; done`);
  expect((await attack(neighbour, `python3 ${NETWORK} unix @theirs`)).text).toContain("connected @theirs");
  const result = await none("unix", [`@${name}`, "@theirs", "@/containerd-shim/moby", "@/tmp/.X11-unix/X0"]);
  listener.close();
  await attack(neighbour, "pkill -f theirs");
  return result;
});

attempt("reach another sandbox's gateway socket by its path on the host", "not there", () => {
  const theirs = [
    path.join(rig.gatewayRoot, neighbour.slot, "gateway.sock"),
    `/run/egress/../${neighbour.slot}/gateway.sock`,
    `/run/${neighbour.slot}/gateway.sock`,
    `/proc/1/root${rig.gatewayRoot}/${neighbour.slot}/gateway.sock`,
    "/var/run/docker.sock",
  ];
  return none("unix", theirs);
});

attempt("see what the host mounts below its gateway folder later", "an empty folder", async () => {
  const folder = path.join(rig.gatewayRoot, box.slot, "later");
  await mkdir(folder);
  if (rig.hasDisks()) await execute("mount", ["-t", "tmpfs", "none", folder]);
  await writeFile(path.join(rig.hasDisks() ? folder : rig.home, "secret"), "secret");
  expect((await attack(box, "ls -A /run/egress; ls -A /run/egress/later | wc -l")).text).toContain("later\n0\n");
  if (rig.hasDisks()) await execute("umount", [folder]);
  return "an empty folder";
});
