import type { Config } from "../../config.ts";

/** What `doctor` found out about one thing. */
export interface Finding {
  /** `fail` keeps Deckhand from working; `warn` may, or mends itself; `info` is neither good nor bad. */
  state: "ok" | "warn" | "fail" | "info";
  subject: string;
  detail: string;
  /** What to do about it. */
  mend?: string;
}

export interface CheckContext {
  root: string;
  config: Config;
  signal: AbortSignal;
}
