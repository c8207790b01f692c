import type { StatusStep } from "./chat-surface.ts";
import type { SessionEvent } from "./session-events.ts";
import { firstSentence, toolLabel } from "./tool-label.ts";
import type { Turn } from "./turn.ts";

type ToolUse = Extract<SessionEvent, { type: "agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use" }>;

const STEP_CHARS_MAX = 80;
/** A permission that is not known yet is taken for a question, as the SDK's own runner does. */
const UNASKED: ReadonlySet<string> = new Set(["allow", "deny"]);

/** Pure: the turn in which the agent has said this, which is its answer unless another tool call follows. */
export function addSaid(turn: Turn, id: string, text: string): Turn {
  const said = text.trim() === "" ? turn.said : [...turn.said, { id, text }];
  return { ...turn, said, note: null, draft: null };
}

/** Pure: the turn with this tool call. What was said before it was not the answer but the name of the next step. */
export function addTool(turn: Turn, event: ToolUse): Turn {
  // Nobody is asked about a client's own tool: its result is waited for.
  const permission = event.type === "agent.custom_tool_use" ? undefined : event.evaluated_permission;
  const asked = permission !== undefined && !UNASKED.has(permission);
  const next = turn.said.map(({ text }) => newStep(firstSentence(text, STEP_CHARS_MAX), null));
  const steps = [...turn.steps, ...next];
  const current = steps.pop() ?? newStep("Getting started", null);
  return {
    ...turn,
    said: [],
    note: null,
    draft: null,
    steps: [
      ...steps.map((step) => ({ ...step, state: "done" as const })),
      { ...current, detail: toolLabel(event.name, event.input), toolCount: current.toolCount + 1 },
    ],
    asks: asked ? [...turn.asks, { toolUseId: event.id, toolName: event.name, input: event.input }] : turn.asks,
  };
}

function newStep(label: string, detail: string | null): StatusStep {
  return { label, state: "running", detail, toolCount: 0 };
}
