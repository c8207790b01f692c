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
} from "./tool-result.ts";

type ToolUse = EventOf<"agent.tool_use">;

/** From a tool's name and the model's arguments to what the sandbox runs, or to the reason why not. */
export type PrepareCall = (name: string, input: Record<string, unknown>) => { op: SandboxOp } | { error: string };

export interface RunToolsDeps {
  prepare: PrepareCall;
  sandbox: SessionSandbox;
  signals: TurnSignals;
  /** Calls that an earlier harness committed, and may have started. */
  orphans: ReadonlySet<string>;
  crashPoint: CrashPoint;
}

/**
 * Runs one committed call and returns its result. Whatever the tool or the sandbox does is a result.
 * @throws when this harness must let go of the session, or when nobody can say now what became of an orphaned call
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
    const opened = await unlessAborted(sandbox.open(signals.any), signals.any);
    await crashPoint("before_tool");
    // Only an interrupt stops the call itself: when this harness lets go, the call works on for the next one.
    const result = await unlessAborted(opened.call(call.id, prepared.op, signals.interrupt), signals.letGo);
    await crashPoint("after_tool");
    // Short, and the call is over: an interrupt has nothing to stop any more.
    return await spilled(toToolResult(result), call.id, opened, signals.letGo);
  } catch (error) {
    if (signals.letGo.aborted) throw error;
    if (signals.interrupt.aborted) return INTERRUPTED;
    if (error instanceof SandboxLostError) {
      await sandbox.forget();
      return OUTCOME_UNKNOWN;
    }
    if (deps.orphans.has(call.id)) throw error;
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
