import type { Run } from "./run.ts";

export interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

export interface CallResult {
  /** The text parts, joined by line breaks; pictures leave nothing here. */
  text: string;
  isError: boolean;
}

/** One answer of the scripted model that calls tools. */
export interface Step {
  say: string;
  calls: ToolCall[];
  /** Not tried again when it fails: it may have had an effect. */
  once?: true;
}

/**
 * What the scripted model does about one kind of request.
 *
 * Contract: `play` is a pure function of `run`. It is started anew for every model request and fed the results that the
 * conversation already holds, so it must yield the same steps for the same results. A step whose calls the conversation
 * does not hold (because it is the next one, or because a message that steers changed it) is what the model does next.
 */
export interface Script {
  readonly name: string;
  fits(run: Run): boolean;
  /** Yields steps, is given one result for each call of the step, and returns the final answer. */
  play(run: Run): Generator<Step, string, CallResult[]>;
  /** What to say to a message that came in while the script was running. */
  acknowledge(run: Run, message: string): string;
}
