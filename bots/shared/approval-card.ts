import type { ApprovalCard, ApprovalState, ChatMessage } from "./chat-surface.ts";
import type { Approval } from "./chat-records.ts";
import type { Ask } from "./turn.ts";
import { toolLabel } from "./tool-label.ts";

/** Pure: what people see of a tool call that is asked for. `approvers` is empty when the requester decides. */
export function approvalMessage(
  ask: Ask,
  who: { requester: string | null; approvers: readonly string[] },
  state: ApprovalState,
): ChatMessage {
  const card: ApprovalCard = {
    toolUseId: ask.toolUseId,
    toolName: ask.toolName,
    summary: toolLabel(ask.toolName, ask.input),
    detail: callDetail(ask.toolName, ask.input),
    approvers: who.approvers,
    requester: who.requester,
    state,
  };
  return { type: "approval", card };
}

/** Pure: how an approval stands. One that was closed though neither a person nor the clock decided is moot. */
export function approvalState(approval: Approval): ApprovalState {
  const { decision, decidedBy, reason } = approval;
  if (decision === null) return { type: "open", expiresAt: approval.expiresAt.getTime() };
  const at = (approval.decidedAt ?? approval.expiresAt).getTime();
  if (decision === "expired") return { type: "expired", at };
  return decidedBy === null ? { type: "moot" } : { type: "decided", decision, by: decidedBy.name, at, reason };
}

/**
 * Pure: what will run, word for word and in full: whoever decides must be able to see all of it. Input is the model's own,
 * so anything may be in it; what is not in the form expected is shown as JSON.
 */
export function callDetail(toolName: string, input: Record<string, unknown>): string {
  const only = (...names: string[]) => Object.keys(input).every((name) => names.includes(name));
  const { command, file_path: path, content, old_string: before, new_string: after, replace_all: everywhere } = input;
  if (toolName === "bash" && only("command") && typeof command === "string") return command;
  if (typeof path === "string") {
    if (toolName === "write" && only("file_path", "content") && typeof content === "string")
      return `${path}\n\n${content}`;
    if (toolName === "edit" && only("file_path", "old_string", "new_string", "replace_all")) {
      const heading = everywhere === true ? `${path}, everywhere` : path;
      if (typeof before === "string" && typeof after === "string")
        return `${heading}\n\n${prefixed("- ", before)}\n${prefixed("+ ", after)}`;
    }
  }
  return JSON.stringify(input, null, 2);
}

function prefixed(prefix: string, text: string): string {
  return text
    .split("\n")
    .map((line) => `${prefix}${line}`)
    .join("\n");
}
