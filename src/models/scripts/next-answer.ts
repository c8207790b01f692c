import { isDeepStrictEqual } from "node:util";
import type { Exchange, Run } from "./run.ts";
import type { CallResult, Script, Step, ToolCall } from "./script.ts";

export interface Answer {
  text: string;
  calls: ToolCall[];
}

const ATTEMPTS_MAX = 2;
/** What no second try changes: a program's verdict on its data, or the word of a person who was asked to approve a call. */
const VERDICT = /^PROBLEM: |^The user rejected this tool call/m;

/** Plays the script over what has been done, and returns the first thing that has not. Pure. */
export function nextAnswer(script: Script, run: Run): Answer {
  const noted = run.exchanges.length > 0 ? run.news.map((message) => script.acknowledge(run, message)) : [];
  const say = (text: string) => [...noted, text].join(" ");
  const playing = script.play(run);
  let rest = run.exchanges;
  let at = playing.next();
  while (!at.done) {
    const { done, attempts } = lookUp(at.value, rest);
    if (!done) {
      const again = attempts > 0 ? "That did not work; I try once more. " : "";
      return { text: say(again + at.value.say), calls: at.value.calls };
    }
    rest = rest.slice(rest.indexOf(done) + 1);
    at = playing.next(resultsOf(at.value, done));
  }
  return { text: say(at.value), calls: [] };
}

/** The exchange that settles a step: the first that went well, or the last of all the attempts there are to be. */
function lookUp(step: Step, exchanges: Exchange[]): { done: Exchange | undefined; attempts: number } {
  const tried = exchanges.filter(({ calls }) => isDeepStrictEqual(calls, step.calls));
  const settled = tried.find(({ results }) => results.every(({ isError, text }) => !isError || VERDICT.test(text)));
  return { done: settled ?? tried[(step.once ? 1 : ATTEMPTS_MAX) - 1], attempts: tried.length };
}

function resultsOf(step: Step, { results }: Exchange): CallResult[] {
  return step.calls.map((_, i) => results[i] ?? { text: "There is no result of this call.", isError: true });
}
