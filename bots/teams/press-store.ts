import type { Database } from "../../src/database.ts";

/** Teams delivers an invoke again after 15 s without an answer, up to four times in all. */
const DELIVERED_AGAIN_MS = 75_000;

/**
 * The id of one press, whose deliveries all have the same `origin.messageId`, and so has a later press of the same button: what
 * comes so soon after the first delivery is that press, delivered again. Idempotent for that long, on any machine.
 */
export async function onePress({ prisma }: Pick<Database, "prisma">, messageId: string): Promise<string> {
  const rows = await prisma.$queryRaw<{ at: Date }[]>`
    INSERT INTO chat_receipts AS r (id, received_at) VALUES (${messageId}, now())
    ON CONFLICT (id) DO UPDATE SET received_at = CASE
      WHEN r.received_at < now() - ${DELIVERED_AGAIN_MS} * interval '1 ms' THEN now() ELSE r.received_at END
    RETURNING received_at AS at`;
  const [row] = rows;
  if (!row) throw new Error(`No receipt of ${messageId} came back from the database.`);
  return `${messageId}:${row.at.getTime()}`;
}
