import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { loadConfig } from "../../config.ts";
import { ensureDockerEngine } from "../../embedded/docker-engine.ts";
import { ensureRedisInstalled } from "../../embedded/redis-server.ts";
import { ensureSandboxImage } from "../../embedded/sandbox-image.ts";
import { isMissing } from "../../embedded/file-errors.ts";
import { createLog } from "../../log.ts";
import { AttemptedTests, abuseTable } from "../abuse-table.ts";
import type { Command, CommandIo } from "../command.ts";
import { runNodeProgram } from "../node-program.ts";
import { createProgress } from "../progress.ts";

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: AttemptedTests,
});

export const command: Command = {
  summary: "Run the whole test suite against real services",
  usage: `Usage: deckhand test [vitest options] [filter]...

Makes the Docker engine, the sandbox image and redis-server ready, starts Postgres, and runs every test. What follows
is passed on to vitest: \`deckhand test --project unit\` needs no services, \`deckhand test event-log\` runs the files
whose path contains that. The attempts of the abuse suite are listed at the end, with what came of them. TEST_DATABASE_URL names a Postgres server to use in place of the embedded one.`,

  async run(args, io) {
    if (!isUnitOnly(args)) await prepareServices(io);
    const dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-test-"));
    try {
      const reportFile = path.join(dir, "report.json");
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
      const exitCode = await runNodeProgram("vitest", ["run", ...reporters, ...args], io);
      io.stdout.write(`${await summary(reportFile)}\n`);
      return exitCode;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

function isUnitOnly(args: string[]): boolean {
  const projects = args.flatMap((arg, i) => {
    if (arg.startsWith("--project=")) return [arg.slice("--project=".length)];
    return arg === "--project" ? [args[i + 1]] : [];
  });
  return projects.length > 0 && projects.every((project) => project === "unit");
}

async function prepareServices({ root, stderr, signal }: CommandIo): Promise<void> {
  const { home, dockerHost } = loadConfig(root);
  const options = { home, dockerHost, signal, log: createLog("warn"), progress: createProgress(stderr) };
  await ensureRedisInstalled(options);
  const docker = await ensureDockerEngine(options);
  await ensureSandboxImage({ ...options, docker });
}

/** The attempts of the abuse suite, and one plain line for people and programs that read only the last. */
async function summary(reportFile: string): Promise<string> {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = Report.parse(
      JSON.parse(await readFile(reportFile, "utf8")),
    );
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : "";
    const table = abuseTable(testResults);
    return `${table === null ? "" : `\n${table}\n\n`}${numPassedTests} passed, ${numFailedTests} failed${skipped}`;
  } catch (error) {
    if (isMissing(error)) return "0 passed, 0 failed: vitest ended before it ran any test";
    throw error;
  }
}
