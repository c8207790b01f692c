import type { Anthropic } from "@anthropic-ai/sdk";
import { decideApproval, type ApprovalDeps } from "./approvals.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { pendingAsks } from "./pending-asks.ts";
import type { ThreadSessions } from "./thread-sessions.ts";
import { confirmTool } from "./tool-confirmation.ts";

/** Where decisions on a thread's tool calls are taken. */
export interface ApprovalDesk {
  /** The tool calls of a thread that wait for a decision, oldest first. With `heard` as of then; see `ApprovalStore.open`. */
  open(thread: ChatThreadKey, signal: AbortSignal, heard?: string): Promise<string[]>;
  /**
   * The first decision counts; one that comes later, or after the session moved on, is harmless. `personId` is null for the
   * owner of a terminal.
   * @throws RetryableError and API errors, after which it may be called again; the signal's reason
   */
  decide(
    thread: ChatThreadKey,
    decision: { toolUseId: string; decision: "allow" | "deny"; personId: string | null; reason: string | null },
    signal: AbortSignal,
  ): Promise<"decided" | "too_late" | "not_allowed">;
}

/** For threads that more than one person sees: those whom `decideApproval` allows may decide. */
export function createApprovalDesk(
  deps: ApprovalDeps & { source: Pick<ChatSource, "inGroup" | "person"> },
): ApprovalDesk {
  const { records, source } = deps;
  return {
    open: async (thread, _, heard) => (await records.approvals.open(thread, heard)).map(({ toolUseId }) => toolUseId),

    async decide(thread, { toolUseId, decision, personId, reason }, signal) {
      if (personId === null) return "not_allowed";
      const person = await source.person(thread, personId, signal);
      const { type } = await decideApproval(deps, { toolUseId, person, decision, reason }, signal);
      return type === "not_yours" ? "not_allowed" : type;
    },
  };
}

export interface OwnApprovalDeps {
  client: Anthropic;
  sessions: Pick<ThreadSessions, "current">;
  store: Pick<ChatStore, "deliveries">;
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
}

/** For threads of one person, who decides on everything; what waits is in the session's log alone. */
export function createOwnApprovalDesk({ client, sessions, store, ensureDelivery }: OwnApprovalDeps): ApprovalDesk {
  return {
    async open(thread, signal) {
      const sessionId = await sessions.current(thread);
      if (sessionId === null) return [];
      return (await pendingAsks(client, sessionId, signal)).map(({ toolUseId }) => toolUseId);
    },

    async decide(thread, { toolUseId, decision, reason }, signal) {
      const sessionId = await sessions.current(thread);
      if (sessionId === null) return "too_late";
      const taken = await confirmTool(client, sessionId, { toolUseId, decision, denyMessage: reason }, signal);
      await store.deliveries.wake(thread);
      await ensureDelivery(thread);
      return taken ? "decided" : "too_late";
    },
  };
}
