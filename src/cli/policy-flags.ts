import { parseArgs } from "node:util";
import { z } from "zod";
import { PolicySettings } from "../../bots/shared/channel-policy.ts";
import { UsageError } from "./command.ts";

const FLAGS = {
  agent: { type: "string" },
  agents: { type: "string" },
  environment: { type: "string" },
  vaults: { type: "string" },
  mode: { type: "string" },
  "allow-users": { type: "string" },
  "allow-groups": { type: "string" },
  "allow-guests": { type: "string" },
  "allow-outsiders": { type: "string" },
  approvers: { type: "string" },
  "approval-minutes": { type: "string" },
  "monthly-budget": { type: "string" },
  "post-files": { type: "string" },
  json: { type: "boolean" },
} as const;
type Flag = Exclude<keyof typeof FLAGS, "json">;

/** Takes a setting back, so that the place inherits it again. */
const INHERIT = "inherit";

const list = (value: string) => (value === "none" ? [] : value.split(",").map((item) => item.trim()));
const yesOrNo = (value: string) => (value === "yes" ? true : value === "no" ? false : value);
const number = (value: string) => (value.trim() === "" ? value : Number(value));

const SETTINGS: Record<Flag, { name: keyof PolicySettings; read(value: string): unknown; says: string }> = {
  agent: { name: "agentId", read: (value) => value, says: "is the id of an agent" },
  agents: { name: "agents", read: list, says: "is a list of agent ids, separated by commas, or none" },
  environment: { name: "environmentId", read: (value) => value, says: "is the id of an environment" },
  vaults: { name: "vaultIds", read: list, says: "is a list of vault ids, separated by commas, or none" },
  mode: { name: "mode", read: (value) => value.replaceAll("-", "_"), says: "is thread or mention_only" },
  "allow-users": { name: "allowUsers", read: list, says: "is a list of user ids, separated by commas, or none" },
  "allow-groups": { name: "allowGroups", read: list, says: "is a list of group ids, separated by commas, or none" },
  "allow-guests": { name: "allowGuests", read: yesOrNo, says: "is yes or no" },
  "allow-outsiders": { name: "allowOutsiders", read: yesOrNo, says: "is yes or no" },
  approvers: { name: "approvers", read: list, says: "is a list of user or group ids, separated by commas, or none" },
  "approval-minutes": { name: "approvalMinutes", read: number, says: "is a whole number from 1 to 10080" },
  "monthly-budget": {
    name: "monthlyBudgetUsd",
    read: (value) => (value === "none" ? null : number(value)),
    says: "is an amount in US dollars, or none",
  },
  "post-files": { name: "postFiles", read: yesOrNo, says: "is yes or no" },
};

export interface PolicyChange {
  place: string | undefined;
  json: boolean;
  /** Pure: the settings that come of the ones there were. */
  apply(before: PolicySettings): PolicySettings;
}

/** @throws UsageError that names the option and says what it takes */
export function readPolicyFlags(args: string[]): PolicyChange {
  const { values, positionals } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  const { json = false, ...given } = values;
  const flags = Object.entries(given).map(([flag, value]) => ({ flag: flag as Flag, value }));
  if (flags.length === 0) {
    throw new UsageError(
      `there is nothing to set. The options are: ${Object.keys(SETTINGS)
        .map((flag) => `--${flag}`)
        .join(", ")}.`,
    );
  }
  const changes = flags.map(({ flag, value }) => changeOf(flag, value));
  return {
    place: onlyOne(positionals),
    json,
    apply(before) {
      const after: Record<string, unknown> = { ...before };
      for (const { name, value } of changes) {
        if (value === undefined) delete after[name];
        else after[name] = value;
      }
      return PolicySettings.parse(after);
    },
  };
}

function changeOf(flag: Flag, given: string): { name: keyof PolicySettings; value: unknown } {
  const { name, read, says } = SETTINGS[flag];
  if (given === INHERIT) return { name, value: undefined };
  const value = read(given);
  const parsed = z.safeParse(PolicySettings, { [name]: value });
  const hasBlank = value === "" || (Array.isArray(value) && value.includes(""));
  if (!parsed.success || hasBlank)
    throw new UsageError(`--${flag} ${says}, or ${INHERIT}; ${JSON.stringify(given)} is not.`);
  return { name, value };
}

function onlyOne(positionals: string[]): string | undefined {
  if (positionals.length > 1) throw new UsageError(`one place at a time: ${positionals.join(" ")}.`);
  return positionals[0];
}
