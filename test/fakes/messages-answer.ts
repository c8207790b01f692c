/** What the fake Messages API answers to one request. */
export type Answer = StreamedAnswer | RefusedAnswer;

export interface StreamedAnswer {
  content: AnswerBlock[];
  stopReason?: "end_turn" | "tool_use" | "max_tokens" | "refusal" | "pause_turn" | "model_context_window_exceeded";
  usage?: Partial<
    Record<"input_tokens" | "output_tokens" | "cache_creation_input_tokens" | "cache_read_input_tokens", number>
  >;
  /** Held before the first byte. */
  before?: Gate;
  /** Held after the first half of the frames; then the stream goes on or ends as `ending` says. */
  middle?: Gate;
  /** Pings sent while the stream is held in the middle, this far apart. */
  pingEveryMs?: number;
  /** How the stream ends, after the first half of its frames; `complete` when absent. */
  ending?: "complete" | "cut" | "error_frame" | "broken_json" | "silence";
}

export interface RefusedAnswer {
  status: number;
  message?: string;
  headers?: Record<string, string>;
  before?: Gate;
}

export type AnswerBlock =
  /** Each chunk is one delta. */
  | { type: "text"; chunks: string[] }
  | { type: "thinking"; thinking: string; signature: string }
  /** `json` is what goes over the wire in place of `input`. */
  | { type: "tool_use"; name: string; input: unknown; json?: string };

/** Holds an answer until it is opened. */
export interface Gate {
  /** Resolves when an answer has come to the gate. */
  readonly reached: Promise<void>;
  readonly opened: Promise<void>;
  reach(): void;
  open(): void;
}

export function gate(): Gate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return { reached: reached.promise, opened: opened.promise, reach: reached.resolve, open: opened.resolve };
}

/** A gate that opens by itself. */
export function delayGate(delayMs: number): Gate {
  const held = gate();
  return {
    ...held,
    reach() {
      held.reach();
      setTimeout(held.open, delayMs);
    },
  };
}

export function says(...chunks: string[]): StreamedAnswer {
  return { content: [{ type: "text", chunks }] };
}

export function calls(...uses: { name: string; input: unknown }[]): StreamedAnswer {
  return { content: uses.map((use) => ({ type: "tool_use" as const, ...use })), stopReason: "tool_use" };
}

export function bash(command: string): StreamedAnswer {
  return calls({ name: "bash", input: { command } });
}

export function refuses(status: number, options: Omit<RefusedAnswer, "status"> = {}): RefusedAnswer {
  return { status, ...options };
}
