import type { PolicyStore, SpendStore } from "./chat-records.ts";
import { teamOf, type ChatPlaceKey } from "./chat-place.ts";
import { compactNumber, formatCents } from "./render.ts";

export interface Spent {
  costCents: number;
  tokens: number;
  sessions: number;
}

/** What a calendar month (`2026-11`, UTC) has cost so far. */
export interface UsageReport {
  month: string;
  here: Spent;
  /** Of the month's sessions here; null where there is no limit. */
  budgetUsd: number | null;
  /** The person's, in the whole team; null when it is not known who asks. */
  mine: Spent | null;
}

export interface UsageDeps {
  spend: SpendStore;
  policies: PolicyStore;
}

export async function usageReport(
  { spend, policies }: UsageDeps,
  place: ChatPlaceKey,
  personId: string | null,
): Promise<UsageReport> {
  const month = monthOf(new Date());
  const [here, mine, policy] = await Promise.all([
    spend.sum(month, { place }),
    personId === null ? null : spend.sum(month, { team: teamOf(place), requester: personId }),
    policies.of(place),
  ]);
  return { month, here, budgetUsd: policy.monthlyBudgetUsd, mine };
}

/** Pure: the calendar month of spending, in UTC. */
export function monthOf(time: Date): string {
  return time.toISOString().slice(0, "2026-11".length);
}

/** Pure. */
export function usageText({ month, here, budgetUsd, mine }: UsageReport): string {
  const named = new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  return [
    `Usage in ${named}:`,
    `- Here: ${spentText(here)}${budgetUsd === null ? "" : `; ${budgetText(here, budgetUsd)}`}`,
    ...(mine ? [`- You, in all places: ${spentText(mine)}`] : []),
  ].join("\n");
}

function spentText({ costCents, tokens, sessions }: Spent): string {
  return `${formatCents(costCents)}, ${sessions} session${sessions === 1 ? "" : "s"}, ${compactNumber(tokens)} tokens`;
}

function budgetText({ costCents }: Spent, budgetUsd: number): string {
  const budgetCents = budgetUsd * 100;
  const left = Math.max(0, budgetCents - costCents);
  return `${formatCents(left)} left of this month's ${formatCents(budgetCents)}`;
}
