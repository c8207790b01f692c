import type { ChannelPolicy } from "./channel-policy.ts";
import type { ChatPlaceKey } from "./chat-place.ts";
import type { SpendStore } from "./chat-records.ts";
import { formatCents } from "./render.ts";
import { monthOf } from "./usage-report.ts";

const CENTS_PER_USD = 100;

/** What people are told when the month's budget of a place is used up; null while there is some left. */
export async function budgetRefusal(
  spend: Pick<SpendStore, "sum">,
  { monthlyBudgetUsd }: ChannelPolicy,
  place: ChatPlaceKey,
  now: Date,
): Promise<string | null> {
  if (monthlyBudgetUsd === null) return null;
  const { costCents } = await spend.sum(monthOf(now), { place });
  const budgetCents = monthlyBudgetUsd * CENTS_PER_USD;
  return costCents < budgetCents ? null : budgetText(budgetCents, costCents, place, now);
}

/** Pure. */
function budgetText(budgetCents: number, costCents: number, place: ChatPlaceKey, now: Date): string {
  const month = now.toLocaleDateString("en", { month: "long", timeZone: "UTC" });
  const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
  const nextMonth = next.toLocaleDateString("en", { month: "long", timeZone: "UTC" });
  return (
    `This channel's budget for ${month} is used up: ${formatCents(costCents)} of ${formatCents(budgetCents)}. I take new ` +
    `work again on 1 ${nextMonth}, or as soon as whoever looks after me raises the budget ` +
    `(\`./deckhand channels set ${place} --monthly-budget <USD>\`). Then please ask again.`
  );
}
