import { EnvironmentBuildError } from "../environments/environment-images.ts";
import { messageOf } from "../errors.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { SandboxLostError, type SandboxOp } from "../sandbox/sandbox.ts";
import type { EventOf } from "../schemas/event.ts";
import type { CrashPoint } from "./crash-points.ts";
import { recoverCall } from "./recover.ts";
import type { SessionSandbox } from "./session-sandbox.ts";
import type { TurnSignals } from "./signals.ts";
import { unlessAborted } from "./signals.ts";
import {
  errorResult,
  INTERRUPTED,
  OUTCOME_UNKNOWN,
  oversizedText,
  spilledPreview,
  type ToolResult,
  toToolResult,
  withLines,
} from "./tool-result.ts";

type ToolUse = EventOf<"agent.tool_use">;

/** From a tool's name and the model's arguments to what the sandbox runs, or to the reason why not. */
export type PrepareCall = (name: string, input: Record<string, unknown>) => { op: SandboxOp } | { error: string };

export interface RunToolsDeps {
  prepare: PrepareCall;
  sandbox: Pick<SessionSandbox, "remains" | "forget">;
  /** The session's sandbox with all that belongs in it. */
  open(): Promise<Sandbox>;
  /** In lines for the model, what the sandbox was refused on its way out since then. */
  denialsSince(sandbox: Sandbox, since: Date): Promise<string[]>;
  signals: TurnSignals;
  /** Calls that an earlier harness committed, and may have started. */
  orphans: ReadonlySet<string>;
  crashPoint: CrashPoint;
}

/**
 * Runs one committed call and returns its result. Whatever the tool or the sandbox does is a result.
 * @throws EnvironmentBuildError when there can be no sandbox; when this harness must let go of the session, or when nobody
 *   can say now what became of an orphaned call
 */
export async function runTool(call: ToolUse, deps: RunToolsDeps): Promise<ToolResult> {
  const { sandbox, signals, crashPoint } = deps;
  const prepared = deps.prepare(call.name, call.input);
  if ("error" in prepared) return errorResult(prepared.error);

  try {
    if (deps.orphans.has(call.id)) {
      const remains = await unlessAborted(sandbox.remains(signals.any), signals.any);
      if (recoverCall(true, remains) === "report_unknown") return OUTCOME_UNKNOWN;
    }
    const opened = await deps.open();
    await crashPoint("before_tool");
    const since = new Date();
    // Only an interrupt stops the call itself: when this harness lets go, the call works on for the next one.
    const result = await unlessAborted(opened.call(call.id, prepared.op, signals.interrupt), signals.letGo);
    await crashPoint("after_tool");
    // Short, and the call is over: an interrupt has nothing to stop any more.
    const shown = await spilled(toToolResult(result), call.id, opened, signals.letGo);
    return prepared.op.op === "bash" ? withLines(shown, await deps.denialsSince(opened, since)) : shown;
  } catch (error) {
    if (signals.letGo.aborted) throw error;
    if (signals.interrupt.aborted) return INTERRUPTED;
    if (error instanceof SandboxLostError) {
      await sandbox.forget();
      return OUTCOME_UNKNOWN;
    }
    if (error instanceof EnvironmentBuildError || deps.orphans.has(call.id)) throw error;
    return errorResult(`The sandbox could not run this call: ${messageOf(error)}`);
  }
}

async function spilled(result: ToolResult, callId: string, sandbox: Sandbox, signal: AbortSignal): Promise<ToolResult> {
  const text = oversizedText(result);
  if (text === null) return result;
  const path = `/workspace/.tool-results/${callId}.txt`;
  await sandbox.writeText(path, text, signal);
  const others = result.content.filter((block) => block.type !== "text");
  return { ...result, content: [{ type: "text", text: spilledPreview(text, path) }, ...others] };
}
