import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Figure } from "../../../bench/figure.ts";
import { FIGURES } from "../../../bench/figures.ts";
import { jsonLine, table } from "../../../bench/report.ts";
import { Teardown } from "../../teardown.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";

const NAMES = Object.keys(FIGURES);

export const command: Command = {
  summary: "Measure what Deckhand itself costs",
  usage: `Usage: deckhand bench [--json] [--only NAME]...

Measures on embedded defaults in temporary homes, with a model server that answers at once, and prints each figure with
its floor from the same run. Takes about nine minutes; the figures are promised for four quiet cores. Exits 0 when
everything was measured, whether or not the targets were met.

Options:
  --json        One line of JSON a figure: {"name","value","unit","floor","ratio"}.
  --only NAME   ${NAMES.join(", ")}; may be repeated.`,

  async run(args, io) {
    const { values } = parseArgs({
      args,
      options: { json: { type: "boolean" }, only: { type: "string", multiple: true } },
    });
    const figures: Figure[] = [];
    for (const name of namesOf(values.only)) {
      const measured = await measure(name, io);
      if (values.json) for (const figure of measured) io.stdout.write(`${jsonLine(figure)}\n`);
      figures.push(...measured);
    }
    if (!values.json) io.stdout.write(`${table(figures)}\n`);
    return 0;
  },
};

function namesOf(given: string[] | undefined): string[] {
  const unknown = given?.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new UsageError(`There is no figure "${unknown}". There are: ${NAMES.join(", ")}.`);
  return given ?? NAMES;
}

async function measure(name: string, io: CommandIo): Promise<Figure[]> {
  const load = FIGURES[name];
  if (!load) return [];
  const dir = await mkdtemp(path.join(tmpdir(), "deckhand-bench-"));
  const teardown = new Teardown();
  teardown.add(() => rm(dir, { recursive: true, force: true }));
  try {
    const say = (what: string) => io.stderr.write(`${name}: ${what}\n`);
    return await (
      await load()
    )({ root: io.root, dir, teardown, say, signal: io.signal });
  } finally {
    await teardown.run();
  }
}
