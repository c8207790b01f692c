import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const DECKHAND = path.resolve(import.meta.dirname, "../../deckhand");

/**
 * Stands in for npm, which would need a network: it notes how it was called, and leaves what the real one would leave as
 * far as the script looks at it. A file `npm-fails` makes it fail.
 */
const FAKE_NPM = `#!/bin/sh
echo "npm $1" >>"$CALLS"
[ ! -e "$CALLS-fail" ] || { echo "E404 from the registry"; exit 1; }
prefix=$3
case $1 in
  install) mkdir -p "$prefix/node_modules/.bin" && ln -s "$REAL_NODE" "$prefix/node_modules/.bin/node" ;;
  ci)
    rm -rf "$prefix/node_modules"
    mkdir -p "$prefix/node_modules/prisma/build"
    echo 'require("fs").appendFileSync(process.env.CALLS, "generate\\\\n"); require("fs").mkdirSync(require("path").join(__dirname, "../../../src/generated"), { recursive: true })' \\
      >"$prefix/node_modules/prisma/build/index.js" ;;
esac
`;

let box: string;
let checkout: string;
let bin: string;

beforeEach(async () => {
  box = await realpath(await mkdtemp(path.join(os.tmpdir(), "deckhand sh ")));
  checkout = path.join(box, "a check out");
  bin = path.join(box, "bin");
  await mkdir(path.join(checkout, "src/cli"), { recursive: true });
  await mkdir(path.join(checkout, "prisma"));
  await mkdir(bin);
  await cp(DECKHAND, path.join(checkout, "deckhand"));
  await writeFile(path.join(checkout, "package-lock.json"), "{}");
  await writeFile(path.join(checkout, "prisma/schema.prisma"), "// first");
  await writeFile(
    path.join(checkout, "src/cli/main.ts"),
    "console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() as string }));",
  );
  await program("npm", FAKE_NPM);
  await program("node", "#!/bin/sh\necho v20.19.0\n");
});
afterEach(() => rm(box, { recursive: true, force: true }));

async function program(name: string, text: string) {
  await writeFile(path.join(bin, name), text);
  await chmod(path.join(bin, name), 0o755);
}

const environment = () => ({
  PATH: `${bin}:/usr/bin:/bin`,
  CALLS: path.join(box, "calls"),
  REAL_NODE: process.execPath,
});

interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

function deckhand(args: string[] = [], script = path.join(checkout, "deckhand"), cwd = box): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(script, args, { cwd, env: environment() }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** What was prepared since the last look. */
async function calls(): Promise<string[]> {
  const file = path.join(box, "calls");
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
  await rm(file, { force: true });
  return lines;
}

describe("./deckhand", () => {
  it("prepares a machine whose Node is too old, then runs the command where the caller stands", async () => {
    const { exitCode, stdout, stderr } = await deckhand(["demo", "--data", "my file.csv"]);
    expect({ exitCode, ...JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      args: ["demo", "--data", "my file.csv"],
      cwd: box,
    });
    expect(await calls()).toEqual(["npm install", "npm ci", "generate"]);
    expect(stderr).toContain("installing Node 24");
  });

  it("uses the system's Node when it is new enough", async () => {
    await program("node", `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
    await deckhand();
    expect(await calls()).toEqual(["npm ci", "generate"]);
  });

  it("prepares only what has changed since", async () => {
    await deckhand();
    await calls();
    expect((await deckhand()).stderr).toBe("");
    expect(await calls()).toEqual([]);
    await writeFile(path.join(checkout, "prisma/schema.prisma"), "// second");
    await deckhand();
    expect(await calls()).toEqual(["generate"]);
    await writeFile(path.join(checkout, "package-lock.json"), "{ }");
    await deckhand();
    expect(await calls()).toEqual(["npm ci", "generate"]);
  });

  it("works through a link to it, and a link to that", async () => {
    await symlink(path.join(checkout, "deckhand"), path.join(bin, "deckhand"));
    await symlink("deckhand", path.join(bin, "dh"));
    const { stdout } = await deckhand(["up"], path.join(bin, "dh"));
    expect(JSON.parse(stdout)).toEqual({ args: ["up"], cwd: box });
  });

  it("shows npm's output when it fails, and tries again the next time", async () => {
    await writeFile(path.join(box, "calls-fail"), "");
    const failed = await deckhand();
    expect(failed).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: expect.stringContaining("E404 from the registry"),
    });
    await rm(path.join(box, "calls-fail"));
    await calls();
    expect((await deckhand()).exitCode).toBe(0);
    expect(await calls()).toEqual(["npm install", "npm ci", "generate"]);
  });

  it("prepares once when several start at the same moment", async () => {
    const outcomes = await Promise.all([deckhand(), deckhand(), deckhand()]);
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(await calls()).toEqual(["npm install", "npm ci", "generate"]);
  });

  it("takes over the lock of a run that was killed", async () => {
    const killed: ChildProcess = spawn("sleep", ["60"]);
    await once(killed, "spawn");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    await mkdir(path.join(checkout, ".deckhand"));
    await symlink(String(killed.pid), path.join(checkout, ".deckhand/prepare.lock"));
    expect((await deckhand()).exitCode).toBe(0);
  });
});
