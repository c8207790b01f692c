import { createWaiting, type Waiting } from "../waiting.ts";

/** A call to the Web API, an upload or a download, as it came in. */
export interface LoggedCall {
  /** `upload` and `download` for the two that are no methods. */
  method: string;
  /** As the app sent them, after decoding; without tokens. */
  args: Record<string, unknown>;
  /** Of the installation; empty when the token opened none. */
  team: string;
  /** In ms since the epoch, by the fake's clock. */
  at: number;
  /** What Slack decided, arrived or not; null while it is at it, and when a fault came first. */
  answer: { ok: boolean; error?: string; [field: string]: unknown } | null;
}

export interface CallLog extends Waiting {
  readonly calls: LoggedCall[];
}

export function createCallLog(): CallLog {
  return { calls: [], ...createWaiting("The fake Slack") };
}
