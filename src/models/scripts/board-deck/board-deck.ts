import type { Run } from "../run.ts";
import type { CallResult, Script, Step } from "../script.ts";
import { closingWords, failureWords } from "./closing-words.ts";
import * as commands from "./commands.ts";
import type { Programs } from "./programs.ts";
import { AnalysisResult, CheckResult, CleanResult, parseProblem, parseResult, ProfileResult } from "./results.ts";
import { describeWishes, readWishes } from "./wishes.ts";

const TABLE = /\.(csv|tsv|tab|txt|dat|xlsx)$/i;
const ASKS_FOR_WORK =
  /\b(deck|slides?|presentation|workbook|spreadsheet|report|chart|analy[sz]e|analysis|clean|again|redo|title|focus|colou?r|use)\b/i;
const UPLOADS = "/mnt/session/uploads";

/** Cleans and analyses an attached table, whatever it holds, and builds a workbook and a deck from it. */
export function createBoardDeckScript(programs: Programs): Script {
  return {
    name: "board-deck",
    fits: (run) => {
      const able = run.tools.includes("bash") && run.tools.includes("write");
      const table = run.uploads.some((path) => TABLE.test(path));
      return able && table && (!run.followsUp || ASKS_FOR_WORK.test(run.task));
    },
    play: (run) => boardDeck(run, programs),
    acknowledge: (run, message) => {
      const understood = describeWishes(message, profileIn(run));
      if (understood.length > 0) return `Noted: ${understood.join("; ")}.`;
      return "I read your message, but a script only follows wishes for a title, a colour, a focus, the period, or no deck.";
    },
  };
}

/** Raised inside the script by a step that cannot go on; its message is the final answer. */
class StoppedError extends Error {}

function* boardDeck(run: Run, programs: Programs): Generator<Step, string, CallResult[]> {
  try {
    return yield* work(run, programs);
  } catch (error) {
    if (error instanceof StoppedError) return error.message;
    throw error;
  }
}

function* work(run: Run, programs: Programs): Generator<Step, string, CallResult[]> {
  const path = yield* findTable(run);
  yield* step("I look at how the file is written.", [commands.peek(path)]);
  yield* step(
    "I write a profiler that finds encoding, separators, types and units by itself.",
    commands.writeFiles(programs.profile),
  );
  const profile = parsed(ProfileResult, yield* step("I profile every column.", [commands.profile(path)]));
  yield* step(`${sketch(profile)} Next I write the programs that clean and analyse it.`, [
    ...commands.writeFiles(programs.clean),
    ...commands.writeFiles(programs.analyse),
  ]);
  const cleaned = parsed(CleanResult, yield* step("I clean the table and count every change.", [commands.clean()]));
  const wishes = readWishes(run.messages, profile);
  const analysis = parsed(
    AnalysisResult,
    yield* step("I compute the figures and look for findings.", [commands.analyse(profile, wishes, run.messages)]),
  );
  yield* step(
    `The clearest finding: ${lead(analysis)} Now the programs for the workbook${wishes.deck ? " and the deck" : ""}.`,
    [
      ...commands.writeFiles(programs.workbook),
      ...commands.writeFiles(programs.deck),
      ...commands.writeFiles(programs.check),
    ],
  );
  yield* step("I build the workbook with formulas over the cleaned data.", [commands.buildWorkbook(wishes)]);
  const build = wishes.deck ? commands.buildDeck(wishes, false) : commands.removeDeck();
  yield* step(wishes.deck ? "I draw the slides." : "I leave out the deck.", [build]);
  let checked = parsed(
    CheckResult,
    yield* step("I recompute every formula and render every page.", [commands.check(wishes, 1)]),
  );
  if (checked.problems.length > 0 && wishes.deck) {
    yield* step(`The check found: ${checked.problems[0]}. I draw the slides again with more room.`, [
      commands.buildDeck(wishes, true),
    ]);
    checked = parsed(CheckResult, yield* step("I check again.", [commands.check(wishes, 2)]));
  }
  const picture = wishes.deck ? "deck.png" : "sheet-01.png";
  yield* look(`${commands.FOLDER}/render/${picture}`, run);
  return closingWords(cleaned, analysis, checked);
}

function* findTable(run: Run): Generator<Step, string, CallResult[]> {
  const found = yield* step("I look for the attached table.", [
    { name: "glob", input: { pattern: "**/*", path: UPLOADS } },
  ]);
  const paths = found.split("\n").flatMap((line) => {
    const path = line.trim();
    return TABLE.test(path) ? [path.startsWith("/") ? path : `${UPLOADS}/${path}`] : [];
  });
  const named = run.uploads.findLast((path) => paths.includes(path));
  const path = named ?? paths[0];
  if (!path) throw new StoppedError("I find no table among the attached files. Please attach a CSV, TSV or XLSX file.");
  return path;
}

/** The output of all calls of a step; stops the script when one failed for good. */
function* step(say: string, calls: Step["calls"]): Generator<Step, string, CallResult[]> {
  const results = yield { say, calls };
  const output = results.map(({ text }) => text).join("\n");
  const problem = parseProblem(output);
  if (problem) throw new StoppedError(`I can't make a report of this file. ${problem}`);
  const failed = results.find(({ isError }) => isError);
  if (failed) throw new StoppedError(failureWords(describeCall(calls[results.indexOf(failed)]), failed.text));
  return output;
}

/** Looking at a picture is for the record: the check has judged the pages, and the work stands without the look. */
function* look(path: string, run: Run): Generator<Step, void, CallResult[]> {
  if (run.tools.includes("read"))
    yield { say: "I look at the result.", calls: [{ name: "read", input: { file_path: path } }] };
}

function parsed<T>(schema: Parameters<typeof parseResult<T>>[0], output: string): T {
  const result = parseResult(schema, output);
  if (result === null) throw new StoppedError(failureWords("reading a program's result", output));
  return result;
}

function describeCall(call: Step["calls"][number] | undefined): string {
  const subject = call?.input["command"] ?? call?.input["file_path"];
  return typeof subject === "string" ? `\`${subject.slice(0, 120)}\`` : "a call";
}

function sketch({ rows, columns, roles }: ProfileResult): string {
  const measure = roles.measures[0]
    ? `the main measure is ${roles.measures[0]}`
    : "nothing in it can be added up, so I count records";
  const time = roles.times[0] ? `time runs along ${roles.times[0]}` : "there is no date";
  return `${rows.toLocaleString("en")} rows in ${columns.length} columns: ${measure}, and ${time}.`;
}

function lead({ findings }: AnalysisResult): string {
  return findings[0] ? `${findings[0].headline}.` : "none stands out.";
}

/** The profile, once the run has made it. */
function profileIn(run: Run): ProfileResult | null {
  const outputs = run.exchanges.flatMap(({ results }) => results.map(({ text }) => text));
  return outputs.map((text) => parseResult(ProfileResult, text)).find((profile) => profile !== null) ?? null;
}
