import { z } from "zod";
import type { MonetaryAmount } from "../schemas/event.ts";

const NANOCENTS_PER_CENT = 10n ** 9n;
const NANOCENTS_PER_USD = 10 ** 11;
const HOUR_MS = 3_600_000n;

/** Kept beside a `span.model_request_end`, hidden from the API: what the request cost at list price. */
export const RequestCost = z.object({ cost_nanocents: z.int().nonnegative() });
export type RequestCost = z.infer<typeof RequestCost>;

/** What a session's log and its making say of its cost. Amounts are exact: they are rounded only to be shown. */
export interface CostBasis {
  /** The sum over its model requests, each at the price of its time. */
  tokenNanocents: number;
  runtimeNanocentsPerHour: number;
  /** Time spent `running`. */
  activeMs: number;
}

export const nanocentsOf = (usd: number): number => Math.round(usd * NANOCENTS_PER_USD);

/** Rounded to whole cents, as the API reports it. Pure. */
export function listCost({ tokenNanocents, runtimeNanocentsPerHour, activeMs }: CostBasis): MonetaryAmount {
  const runtime = BigInt(Math.round(activeMs)) * BigInt(runtimeNanocentsPerHour);
  const nanocentHours = BigInt(tokenNanocents) * HOUR_MS + runtime;
  const perCent = NANOCENTS_PER_CENT * HOUR_MS;
  return { amount: ((nanocentHours + perCent / 2n) / perCent).toString(), currency: "USD" };
}
