import type { Database } from "../../src/database.ts";
import type { Approval, ApprovalDecision, ApprovalStore } from "./chat-records.ts";
import { chatThreadKey, parseChatThreadKey } from "./chat-thread.ts";

export function createApprovalStore(prisma: Database["prisma"]): ApprovalStore {
  const find = async (toolUseId: string) => {
    const row = await prisma.chatApproval.findUnique({ where: { toolUseId } });
    return row && approvalOf(row);
  };
  return {
    async ask({ thread, ...approval }) {
      const { toolUseId, sessionId, place, requester, toolName, expiresAt } = approval;
      // By the database's clock, as what is compared with it.
      await prisma.$executeRaw`
        INSERT INTO chat_approvals (tool_use_id, chat_thread_key, session_id, place, requester, tool_name, asked_at, expires_at)
        VALUES (${toolUseId}, ${thread}, ${sessionId}, ${place}::text, ${requester}::text, ${toolName}, now(), ${expiresAt})
        ON CONFLICT DO NOTHING`;
      return approvalOf(await prisma.chatApproval.findUniqueOrThrow({ where: { toolUseId: approval.toolUseId } }));
    },

    find,

    async open(thread, heard) {
      const kept =
        heard === undefined
          ? null
          : await prisma.chatInbound.findUnique({
              where: { chatThreadKey_messageId: { chatThreadKey: thread, messageId: heard } },
            });
      if (heard !== undefined && !kept) return [];
      const where = { chatThreadKey: thread, decision: null, ...(kept && { askedAt: { lte: kept.receivedAt } }) };
      return (await prisma.chatApproval.findMany({ where, orderBy: { askedAt: "asc" } })).map(approvalOf);
    },

    async decide(toolUseId, decision, by, reason) {
      const rows = await prisma.$queryRaw<{ decision: string }[]>`
        UPDATE chat_approvals SET
          decision = CASE WHEN ${by !== null} AND expires_at <= now() THEN 'expired' ELSE ${decision} END,
          decided_by = CASE WHEN expires_at <= now() THEN NULL ELSE ${by?.id ?? null}::text END,
          decided_by_name = CASE WHEN expires_at <= now() THEN NULL ELSE ${by?.name ?? null}::text END,
          reason = CASE WHEN ${by !== null} AND expires_at <= now() THEN NULL ELSE ${reason}::text END,
          decided_at = now()
        WHERE tool_use_id = ${toolUseId} AND decision IS NULL
        RETURNING decision`;
      return rows[0]?.decision === decision;
    },

    async markSent(toolUseId) {
      await prisma.$executeRaw`
        UPDATE chat_approvals SET sent_at = COALESCE(sent_at, now()) WHERE tool_use_id = ${toolUseId}`;
    },

    async due(surfaces, staleMs, limit) {
      const rows = await prisma.$queryRaw<{ tool_use_id: string }[]>`
        SELECT tool_use_id FROM chat_approvals
        WHERE sent_at IS NULL AND split_part(chat_thread_key, ':', 1) = ANY(${surfaces}) AND CASE
          WHEN decision IS NULL THEN expires_at <= now()
          ELSE decided_at <= now() - ${staleMs} * interval '1 ms' END
        ORDER BY expires_at LIMIT ${limit}`;
      const where = { toolUseId: { in: rows.map((row) => row.tool_use_id) } };
      return (await prisma.chatApproval.findMany({ where, orderBy: { expiresAt: "asc" } })).map(approvalOf);
    },
  };
}

type Row = Awaited<ReturnType<Database["prisma"]["chatApproval"]["findUniqueOrThrow"]>>;

function approvalOf(row: Row): Approval {
  return {
    toolUseId: row.toolUseId,
    thread: chatThreadKey(parseChatThreadKey(row.chatThreadKey)),
    sessionId: row.sessionId,
    requester: row.requester,
    toolName: row.toolName,
    expiresAt: row.expiresAt,
    decision: parseDecision(row.decision),
    decidedBy: row.decidedBy === null ? null : { id: row.decidedBy, name: row.decidedByName ?? row.decidedBy },
    decidedAt: row.decidedAt,
    reason: row.reason,
    sent: row.sentAt !== null,
  };
}

function parseDecision(text: string | null): ApprovalDecision | null {
  return text as ApprovalDecision | null;
}
