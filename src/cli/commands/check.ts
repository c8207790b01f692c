import { parseArgs } from "node:util";
import type { Command, CommandIo } from "../command.ts";
import { captureNodeProgram } from "../node-program.ts";

const SOURCES = ["src", "bots", "workers", "bench", "demo", "test", "prisma", "prisma.config.ts", "vitest.config.ts"];

/** In order of how soon they are done. */
const STEPS = [
  { name: "format", program: "oxfmt", args: ["--check", ...SOURCES] },
  { name: "lint", program: "oxlint", args: ["--type-aware", "--deny-warnings", ...SOURCES] },
  { name: "types", program: "tsc", args: [] },
  { name: "dead code", program: "knip", args: [] },
  { name: "unit tests", program: "vitest", args: ["run", "--project", "unit"] },
];

export const command: Command = {
  summary: "Check format, lint, types, dead code and the unit tests",
  usage: `Usage: deckhand check

Runs oxfmt, oxlint, tsc, knip and the unit tests, which include the rules on who may import whom. Needs no services.
Ends with 1 when any of them finds something; the others still run.`,

  async run(args, io) {
    parseArgs({ args, options: {} });
    const failed: string[] = [];
    for (const step of STEPS) {
      if (!(await runStep(step, io))) failed.push(step.name);
    }
    io.stdout.write(failed.length === 0 ? "All clean.\n" : `Failed: ${failed.join(", ")}.\n`);
    return failed.length === 0 ? 0 : 1;
  },
};

async function runStep({ name, program, args }: (typeof STEPS)[number], { root, signal, stdout }: CommandIo) {
  const startedAt = performance.now();
  const { exitCode, output } = await captureNodeProgram(program, args, { root, signal });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  stdout.write(`${exitCode === 0 ? "✓" : "✗"} ${name} (${seconds} s)\n`);
  if (exitCode !== 0) stdout.write(`${output.trimEnd()}\n\n`);
  return exitCode === 0;
}
