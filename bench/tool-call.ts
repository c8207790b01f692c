import { randomUUID } from "node:crypto";
import { finished } from "node:stream/promises";
import type { Container } from "dockerode";
import { silentProgress } from "../src/cli/progress.ts";
import { loadConfig } from "../src/config.ts";
import { ensureDockerEngine } from "../src/embedded/docker-engine.ts";
import { ensureSandboxImage } from "../src/embedded/sandbox-image.ts";
import { createLog } from "../src/log.ts";
import { TOOL_USER } from "../src/sandbox/container-config.ts";
import { DEFAULT_LIMITS } from "../src/sandbox/container-config.ts";
import { createDockerSandboxProvider } from "../src/sandbox/docker.ts";
import { openBareShell } from "./bare-shell.ts";
import { atMost, type Bench, type Figure } from "./figure.ts";
import { p50, p95 } from "./percentiles.ts";
import { timed } from "./timed.ts";

const WARM_UP = 50;
const SAMPLES = 500;
const EXEC_WARM_UP = 3;
const EXEC_SAMPLES = 40;
const TIMES_SHELL_MAX = 3;
const TIMES_EXEC_MAX = 0.1;

/**
 * One bash call of `true` in a sandbox that is attached, against `true` in a bare bash over an exec of the same kind in
 * the same container, and against an exec of its own.
 */
export async function measureToolCall(bench: Bench): Promise<Figure[]> {
  const log = createLog("warn");
  const config = loadConfig(bench.root);
  const engine = {
    home: config.home,
    dockerHost: config.dockerHost,
    log,
    progress: silentProgress,
    signal: bench.signal,
  };
  const docker = await ensureDockerEngine(engine);
  const image =
    config.sandbox.image ?? (await ensureSandboxImage({ docker, log, progress: silentProgress, signal: bench.signal }));
  const shape = { image, limits: DEFAULT_LIMITS, runtime: null };
  const provider = createDockerSandboxProvider({
    docker,
    installationId: `bench-${randomUUID()}`.slice(0, 40),
    pool: { shape, size: 0 },
    log,
  });
  bench.teardown.add(() => provider.close());
  const sandbox = await provider.provision({ sessionId: "sesn_bench", shape }, bench.signal);
  bench.teardown.add(() => provider.destroy(sandbox.ref));
  const container = docker.getContainer(sandbox.ref);
  const shell = await openBareShell(container);
  bench.teardown.add(async () => shell.close());

  bench.say(`${WARM_UP} + ${SAMPLES} calls each way, ${EXEC_WARM_UP} + ${EXEC_SAMPLES} of an exec`);
  let calls = 0;
  const call = () => sandbox.call(`sevt_bench_${calls++}`, { op: "bash", command: "true" }, bench.signal);
  const bare: number[] = [];
  const ours: number[] = [];
  for (let at = 0; at < WARM_UP + SAMPLES; at++) {
    const bareMs = await timed(() => shell.run("true"));
    const ourMs = await timed(call);
    if (at < WARM_UP) continue;
    bare.push(bareMs);
    ours.push(ourMs);
  }
  const execs: number[] = [];
  for (let at = 0; at < EXEC_WARM_UP + EXEC_SAMPLES; at++) {
    const execMs = await timed(() => runExec(container));
    if (at >= EXEC_WARM_UP) execs.push(execMs);
  }
  const against = (name: string, floor: number, limit: number, note: string): Figure => {
    const value = p50(ours);
    return { name, value, unit: "ms", floor, ratio: value / floor, target: atMost(limit, "ratio"), note };
  };
  return [
    against(
      "tool_call.shell",
      p50(bare),
      TIMES_SHELL_MAX,
      `p50 of bash \`true\`; floor: a bare bash over an exec, alternating, n = ${SAMPLES}`,
    ),
    against("tool_call.exec", p50(execs), TIMES_EXEC_MAX, `the same; floor: an exec per call, n = ${EXEC_SAMPLES}`),
    {
      name: "tool_call.p95",
      value: p95(ours),
      unit: "ms",
      floor: p95(bare),
      ratio: p95(ours) / p95(bare),
      target: null,
      note: "p95 of both",
    },
  ];
}

async function runExec(container: Container): Promise<void> {
  const exec = await container.exec({ Cmd: ["true"], User: TOOL_USER, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  stream.resume();
  await finished(stream);
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`The exec ended with ${ExitCode}.`);
}
