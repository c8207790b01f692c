import type { Database } from "../../src/database.ts";
import type { SpendStore } from "./chat-records.ts";

export function createSpendStore(prisma: Database["prisma"]): SpendStore {
  return {
    async record({ sessionId, place, requester, totalCents, totalTokens }) {
      await prisma.$executeRaw`
        WITH this AS (SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') AS month), before AS (
          SELECT COALESCE(sum(cost_cents), 0) AS cents, COALESCE(sum(tokens), 0) AS tokens
          FROM chat_spend, this WHERE session_id = ${sessionId} AND chat_spend.month < this.month
        )
        INSERT INTO chat_spend AS s (session_id, month, place, requester, cost_cents, tokens)
        SELECT ${sessionId}, this.month, ${place}::text, ${requester}::text,
          GREATEST(round(${totalCents}::numeric) - before.cents, 0)::int,
          GREATEST(${totalTokens}::bigint - before.tokens, 0)::bigint
        FROM this, before
        ON CONFLICT (session_id, month) DO UPDATE SET
          place = COALESCE(s.place, EXCLUDED.place),
          requester = COALESCE(s.requester, EXCLUDED.requester),
          cost_cents = GREATEST(s.cost_cents, EXCLUDED.cost_cents),
          tokens = GREATEST(s.tokens, EXCLUDED.tokens)`;
    },

    async sum(month, { place, requester, team }) {
      const rows = await prisma.$queryRaw<{ cents: number; tokens: number; sessions: number }[]>`
        SELECT COALESCE(sum(cost_cents), 0)::float8 AS cents, COALESCE(sum(tokens), 0)::float8 AS tokens,
          count(*)::int AS sessions
        FROM chat_spend
        WHERE month = ${month}
          AND (${team ?? null}::text IS NULL OR place = ${team ?? null}::text OR starts_with(place, ${`${team}:`}))
          AND (${place ?? null}::text IS NULL OR place = ${place ?? null}::text OR starts_with(place, ${`${place}:`}))
          AND (${requester ?? null}::text IS NULL OR requester = ${requester ?? null}::text)`;
      const { cents = 0, tokens = 0, sessions = 0 } = rows[0] ?? {};
      return { costCents: cents, tokens, sessions };
    },
  };
}
