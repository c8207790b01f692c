import { mkdir } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { createScreen } from "../../../bots/terminal/screen.ts";
import { findLocalFile } from "../../../bots/terminal/local-file.ts";
import { viewFor } from "../../../bots/terminal/views.ts";
import { loadConfig } from "../../config.ts";
import { messageOf } from "../../errors.ts";
import { createLog } from "../../log.ts";
import type { Command } from "../command.ts";
import { connect, inPlainWords } from "../connection.ts";
import { runDemo } from "../demo/run-demo.ts";
import { summaryLines } from "../demo/summary.ts";
import { createProgress } from "../progress.ts";

const DATA = "demo/equipment-orders.csv";

export const command: Command = {
  summary: "Have a table cleaned and turned into a workbook and a board deck",
  usage: `Usage: deckhand demo [--out DIR] [--data FILE] [--json]

Starts everything it needs, opens a thread with the agent, attaches a table and asks for a workbook and a deck. The
files and their previews are saved in DIR; nothing is ever overwritten. Uses the real model when ANTHROPIC_API_KEY is
set; otherwise a script plays the model, and everything else is the same.

Options:
  --out DIR     Where the files go. Default: ./out
  --data FILE   Your own table (CSV, TSV or XLSX). Default: synthetic equipment orders (${DATA})
  --json        Print one JSON object on stdout at the end, and everything else on stderr.`,

  async run(args, io) {
    const { values } = parseArgs({
      args,
      options: {
        out: { type: "string", default: "out" },
        data: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const config = loadConfig(io.root);
    const data =
      values.data === undefined ? await findLocalFile(DATA, io.root) : await findLocalFile(values.data, io.cwd);
    const out = await makeFolder(path.resolve(io.cwd, values.out), values.out);
    const log = createLog(config.logLevel === "info" ? "error" : config.logLevel);
    const stage = values.json ? io.stderr : io.stdout;
    const screen = stage.isTTY ? createScreen(stage) : null;
    const view = viewFor(stage, screen, io.cwd);
    const connection = await connect({
      config,
      url: null,
      log,
      progress: createProgress(io.stderr),
      signal: io.signal,
    });
    try {
      const { result, tokens } = await runDemo({
        connection,
        config,
        view,
        data: data.path,
        out,
        log,
        signal: io.signal,
      });
      stage.write(`\n${summaryLines(result, tokens, values.out).join("\n")}\n`);
      if (values.json) io.stdout.write(`${JSON.stringify(result)}\n`);
      return 0;
    } catch (error) {
      throw inPlainWords(error);
    } finally {
      view.close();
      await connection.close();
    }
  },
};

async function makeFolder(folder: string, given: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EEXIST";
    const why = taken ? "there is a file of that name." : messageOf(error);
    throw new Error(`--out ${given}: the folder can't be made: ${why}`, { cause: error });
  }
  return folder;
}
