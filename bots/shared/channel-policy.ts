import { z } from "zod";

/** What an operator may set for a place. What is missing is inherited: place, then team, then `DEFAULT_POLICY`. */
export const PolicySettings = z.strictObject({
  agentId: z.string().optional(),
  /** The agents that people may switch to; where it is missing, any, or none where `agentId` is set. */
  agents: z.array(z.string()).optional(),
  environmentId: z.string().optional(),
  vaultIds: z.array(z.string()).optional(),
  /** Whether replies in a thread the agent is in count without a mention. */
  mode: z.enum(["thread", "mention_only"]).optional(),
  /** The only people and groups who may give work; everybody where both are empty. */
  allowUsers: z.array(z.string()).optional(),
  allowGroups: z.array(z.string()).optional(),
  allowGuests: z.boolean().optional(),
  allowOutsiders: z.boolean().optional(),
  /** Who decides on approvals; the requester where it is empty. */
  approvers: z.array(z.string()).optional(),
  approvalMinutes: z.number().int().min(1).max(10_080).optional(),
  /** New work stops when the month's sessions of this place have cost this much. Null lifts an inherited limit. */
  monthlyBudgetUsd: z.number().min(0).nullable().optional(),
  /** Whether files are posted; where not, they come as links. */
  postFiles: z.boolean().optional(),
});
export type PolicySettings = z.infer<typeof PolicySettings>;

export interface ChannelPolicy {
  /** Null for the default agent. */
  agentId: string | null;
  /** Null when nothing is said of it: see `mayUseAgent`. */
  agents: readonly string[] | null;
  environmentId: string | null;
  vaultIds: readonly string[];
  mode: "thread" | "mention_only";
  allowUsers: readonly string[];
  allowGroups: readonly string[];
  allowGuests: boolean;
  allowOutsiders: boolean;
  approvers: readonly string[];
  approvalMinutes: number;
  monthlyBudgetUsd: number | null;
  postFiles: boolean;
}

export const DEFAULT_POLICY: ChannelPolicy = {
  agentId: null,
  agents: null,
  environmentId: null,
  vaultIds: [],
  mode: "thread",
  allowUsers: [],
  allowGroups: [],
  allowGuests: false,
  allowOutsiders: false,
  approvers: [],
  approvalMinutes: 1_440,
  monthlyBudgetUsd: null,
  postFiles: true,
};

/** Pure: the policy that holds, from the widest settings to the narrowest. */
export function mergePolicy(...settings: readonly PolicySettings[]): ChannelPolicy {
  const policy = { ...DEFAULT_POLICY };
  for (const given of settings) {
    Object.assign(policy, Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  }
  return policy;
}
