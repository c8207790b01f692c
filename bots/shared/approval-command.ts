import type { WordsMessage } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { notice } from "./render.ts";

/** Where decisions on a thread's tool calls are taken. It holds who may decide, and keeps each decision. */
export interface ApprovalDesk {
  /** The tool calls of a thread that wait for a decision. */
  open(thread: ChatThreadKey, signal: AbortSignal): Promise<string[]>;
  /** The first decision counts; one that comes later, or after the session moved on, is harmless. */
  decide(
    thread: ChatThreadKey,
    decision: { toolUseId: string; decision: "allow" | "deny"; personId: string | null; reason: string | null },
    signal: AbortSignal,
  ): Promise<"decided" | "too_late" | "not_allowed">;
}

export interface ApprovalCall {
  thread: ChatThreadKey;
  personId: string | null;
  decision: "allow" | "deny";
  reason: string | null;
}

/** Decides on everything that a thread's session waits for, and says what came of it. */
export async function decideAll(
  desk: ApprovalDesk | undefined,
  { thread, personId, decision, reason }: ApprovalCall,
  signal: AbortSignal,
): Promise<WordsMessage> {
  const open = (await desk?.open(thread, signal)) ?? [];
  const results: Awaited<ReturnType<ApprovalDesk["decide"]>>[] = [];
  for (const toolUseId of open) {
    if (desk) results.push(await desk.decide(thread, { toolUseId, decision, personId, reason }, signal));
  }
  if (results.includes("not_allowed")) {
    return notice(
      "warning",
      "Thank you, but this is for somebody else to decide: whoever is named in the request. It still waits.",
    );
  }
  const decided = results.filter((result) => result === "decided").length;
  if (decided === 0) return notice("info", "Nothing waits for an approval here.");
  const count = decided === 1 ? "" : ` (${decided} requests)`;
  return notice("info", decision === "allow" ? `Approved${count}.` : `Denied${count}.`);
}
