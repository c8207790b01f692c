import { parseArgs } from "node:util";
import { loadConfig } from "../../config.ts";
import { checkDocker } from "../checks/docker.ts";
import { checkDns, checkGatewayDir } from "../checks/gateway.ts";
import { checkDisk, checkModelKey, checkNode, checkPackages, checkPort } from "../checks/machine.ts";
import { checkPostgres } from "../checks/postgres.ts";
import { checkRedis } from "../checks/redis.ts";
import { checkSandboxDisks } from "../checks/sandbox-disks.ts";
import type { CheckContext, Finding } from "../checks/finding.ts";
import type { Command } from "../command.ts";

const CHECKS: ((context: CheckContext) => Promise<Finding[]>)[] = [
  checkNode,
  checkPackages,
  checkDocker,
  checkPostgres,
  checkRedis,
  checkDisk,
  checkSandboxDisks,
  checkGatewayDir,
  checkDns,
  checkPort,
  checkModelKey,
];

export const command: Command = {
  summary: "Check everything Deckhand needs and say how to mend what is wrong",
  usage: `Usage: deckhand doctor

Looks at Node, packages, the Docker engine, the sandbox image and runtime, Postgres, Redis, clocks, disk space, the disks
of sandboxes, the gateway's folder and DNS servers, the port and the model key.
Changes nothing. Ends with 1 when something would keep Deckhand from working.`,

  async run(args, { root, stdout, signal }) {
    parseArgs({ args, options: {} });
    const context = { root, config: loadConfig(root), signal };
    const findings = (await Promise.all(CHECKS.map((check) => check(context)))).flat();
    const width = Math.max(...findings.map(({ subject }) => subject.length));
    for (const { state, subject, detail, mend } of findings) {
      stdout.write(`${state.padEnd(4)}  ${subject.padEnd(width)}  ${detail}\n`);
      if (mend) stdout.write(`${" ".repeat(width + 8)}→ ${mend}\n`);
    }
    return findings.some(({ state }) => state === "fail") ? 1 : 0;
  },
};
