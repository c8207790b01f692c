import type { ApprovalDesk } from "./approval-desk.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { notice, type Notice } from "./render.ts";

export interface ApprovalCall {
  thread: ChatThreadKey;
  /** Of the words that decide. */
  messageId: string;
  personId: string | null;
  decision: "allow" | "deny";
  reason: string | null;
}

/**
 * Decides on everything that a thread's session waited for when it was said, and says what came of it. Called again, it must
 * not decide on what was asked since: nobody has seen that.
 */
export async function decideAll(
  desk: ApprovalDesk | undefined,
  { thread, messageId, personId, decision, reason }: ApprovalCall,
  signal: AbortSignal,
): Promise<Notice> {
  const open = (await desk?.open(thread, signal, messageId)) ?? [];
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
