import { PassThrough } from "node:stream";
import { parseArgs } from "node:util";
import { describe, expect, it } from "vitest";
import { type Command, type CommandIo, InterruptedError, UsageError } from "../../src/cli/command.ts";
import { type CommandTable, dispatch } from "../../src/cli/dispatch.ts";
import { AppError } from "../../src/errors.ts";

function command(run: Command["run"]): () => Promise<{ command: Command }> {
  return async () => ({ command: { summary: "Greet someone", usage: "Usage: deckhand greet [--name NAME]", run } });
}

async function runWith(argv: string[], run: Command["run"], signal = AbortSignal.any([])) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) =>
    new PassThrough().on("data", (chunk: Buffer) => {
      written[name] += chunk.toString();
    }) as unknown as NodeJS.WriteStream;
  const io: CommandIo = {
    root: "/nowhere",
    cwd: "/nowhere",
    stdin: process.stdin,
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    signal,
  };
  const table: CommandTable = { greet: command(run), broken: () => Promise.reject(new Error("a package is missing")) };
  return { exitCode: await dispatch(argv, table, io), ...written };
}

const ok: Command["run"] = async () => 0;

describe("dispatch", () => {
  it("hands the arguments after the command's name to it and returns its exit code", async () => {
    let seen: string[] = [];
    const run: Command["run"] = async (args) => {
      seen = args;
      return 7;
    };
    expect(await runWith(["greet", "--name", "Ada"], run)).toEqual({ exitCode: 7, stdout: "", stderr: "" });
    expect(seen).toEqual(["--name", "Ada"]);
  });

  it.each([["nope"], ["__proto__"], ["--verbose"]])(
    "names the commands there are when `%s` is not one",
    async (name) => {
      const { exitCode, stdout, stderr } = await runWith([name], ok);
      expect(exitCode).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain(`no command \`${name}\``);
      expect(stderr).toContain("greet, broken");
    },
  );

  it("names an unknown flag and where to look", async () => {
    const { exitCode, stderr } = await runWith(["greet", "--shout"], async (args) => {
      parseArgs({ args, options: { name: { type: "string" } } });
      return 0;
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("'--shout'");
    expect(stderr).toContain("deckhand greet --help");
  });

  it("prints a command's usage without running it, unless --help stands after --", async () => {
    const run: Command["run"] = () => Promise.reject(new Error("ran"));
    expect(await runWith(["greet", "--help"], run)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("--name"),
    });
    expect(await runWith(["greet", "--", "--help"], run)).toMatchObject({ exitCode: 1, stderr: "deckhand: ran\n" });
  });

  it("shows an expected failure as its message, and a mistake of ours with where it happened", async () => {
    const expected = await runWith(["greet"], () => Promise.reject(new AppError("not_found", "No such agent.")));
    expect(expected).toMatchObject({ exitCode: 1, stderr: "deckhand: No such agent.\n" });
    const mistake = await runWith(["greet"], () => Promise.reject(new TypeError("x is not a function")));
    expect(mistake.stderr).toMatch(/x is not a function\n\s+at /);
  });

  it("keeps exit code 2 for arguments that make no sense", async () => {
    const { exitCode } = await runWith(["greet"], () => Promise.reject(new UsageError("--name may not be empty.")));
    expect(exitCode).toBe(2);
  });

  it("ends as shells expect when a signal interrupted the command", async () => {
    for (const [name, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const signal = AbortSignal.abort(new InterruptedError(name));
      const outcome = await runWith(["greet"], (_args, io) => Promise.reject(io.signal.reason), signal);
      expect(outcome).toEqual({ exitCode: expected, stdout: "", stderr: "" });
    }
  });
});
