import path from "node:path";
import { InterruptedError } from "./command.ts";
import { type CommandTable, dispatch } from "./dispatch.ts";

/** A command that has ended but left something open must not keep the terminal. */
const LINGER_MS = 5_000;

const COMMANDS: CommandTable = {
  demo: () => import("./commands/demo.ts"),
  chat: () => import("./commands/chat.ts"),
  up: () => import("./commands/up.ts"),
  channels: () => import("./commands/channels.ts"),
  audit: () => import("./commands/audit.ts"),
  egress: () => import("./commands/egress.ts"),
  keys: () => import("./commands/keys.ts"),
  slack: () => import("./commands/slack.ts"),
  teams: () => import("./commands/teams.ts"),
  bench: () => import("./commands/bench.ts"),
  test: () => import("./commands/test.ts"),
  check: () => import("./commands/check.ts"),
  doctor: () => import("./commands/doctor.ts"),
};

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    const reason = new InterruptedError(signal);
    if (interrupted.signal.aborted) process.exit(reason.exitCode);
    interrupted.abort(reason);
  });
}

process.exitCode = await dispatch(process.argv.slice(2), COMMANDS, {
  root: path.resolve(import.meta.dirname, "../.."),
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
});
setTimeout(() => process.exit(), LINGER_MS).unref();
