import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { mergePolicy, type PolicySettings } from "../../../bots/shared/channel-policy.ts";
import { teamOf, type ChatPlaceKey } from "../../../bots/shared/chat-place.ts";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { withChatRecords } from "../chat-records.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";
import { placeNamed } from "../place-argument.ts";
import { readPolicyFlags } from "../policy-flags.ts";

export const command: Command = {
  summary: "Say who may do what in which channel, with which agent and budget",
  usage: `Usage: deckhand channels list [--json]
       deckhand channels show PLACE [--json]
       deckhand channels set PLACE [options] [--json]
       deckhand channels unset PLACE [--json]

PLACE is a channel, slack:T0123:C0456, or the default of all channels of a workspace, slack:T0123. In Teams it is a channel
or chat, teams:TENANT:CONVERSATION, such as teams:6f1c…:19:abc…@thread.tacv2, or teams:TENANT. What a channel does not set,
it takes from its workspace or tenant. A change holds from the next message on.

Options of set; each also takes "inherit", which takes the setting back:
  --agent ID             What new sessions run.
  --agents ID,…          The agents that people may switch to, or none. Not set: any, or none where --agent is set.
  --environment ID       Where they run.
  --vaults ID,…          The vaults whose credentials they may use, or none.
  --mode MODE            thread: replies in a thread the agent is in count. mention_only: only mentions do.
  --allow-users ID,…     The only people who may give work, or none. With --allow-groups: these and those.
  --allow-groups ID,…    The only groups whose members may, or none.
  --allow-guests yes|no
  --allow-outsiders yes|no   People of other organisations.
  --approvers ID,…       Who decides on approvals: people or groups. none: whoever asked for the work.
  --approval-minutes N   How long an approval waits, 1 to 10080.
  --monthly-budget USD   New work stops when the month has cost this much, in each channel by itself. none: no limit.
  --post-files yes|no    no: files come as links.`,

  async run([action, ...args], io) {
    switch (action) {
      case "list":
        return list(args, io);
      case "show":
        return show(args, io);
      case "set":
        return set(args, io);
      case "unset":
        return unset(args, io);
      default:
        throw new UsageError(
          `${action === undefined ? "say what to do" : `there is no \`channels ${action}\``}: list, show, set or unset.`,
        );
    }
  },
};

async function list(args: string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const policies = await withChatRecords(io, (records) => records.policies.list());
  if (values.json) writeJson(io, policies);
  else if (policies.length === 0) io.stdout.write("Nothing is set: every channel has the defaults.\n");
  else for (const { place, settings } of policies) writeSettings(io, place, settings);
  return 0;
}

async function show(args: string[], io: CommandIo): Promise<number> {
  const { place, json } = readPlace(args);
  const { own, team } = await withChatRecords(io, async ({ policies }) => ({
    own: (await policies.settings(place)) ?? {},
    team: teamOf(place) === place ? {} : ((await policies.settings(teamOf(place))) ?? {}),
  }));
  const policy = mergePolicy(team, own);
  if (json) {
    writeJson(io, { place, policy, settings: own });
    return 0;
  }
  io.stdout.write(`${place}\n`);
  for (const [name, value] of Object.entries(policy)) {
    const from = name in own ? "" : name in team ? `  (from ${teamOf(place)})` : "  (default)";
    const said = name === "agents" && value === null ? ANY_UNLESS_SET : shown(value);
    io.stdout.write(`  ${name.padEnd(NAME_CHARS)}  ${said}${from}\n`);
  }
  return 0;
}

async function set(args: string[], io: CommandIo): Promise<number> {
  const change = readPolicyFlags(args);
  const place = placeNamed(change.place);
  const after = await withChatRecords(io, async (records) => {
    const before = (await records.policies.settings(place)) ?? {};
    const settings = change.apply(before);
    await records.policies.set(place, settings);
    await audit(records, place, before, settings);
    return settings;
  });
  if (change.json) writeJson(io, { place, settings: after });
  else writeSettings(io, place, after);
  return 0;
}

async function unset(args: string[], io: CommandIo): Promise<number> {
  const { place, json } = readPlace(args);
  const existed = await withChatRecords(io, async (records) => {
    const before = await records.policies.settings(place);
    const removed = await records.policies.unset(place);
    if (removed) await audit(records, place, before ?? {}, null);
    return removed;
  });
  if (json) writeJson(io, { place, existed });
  else io.stdout.write(existed ? `${place} inherits everything again.\n` : `Nothing was set for ${place}.\n`);
  return 0;
}

async function audit(
  { audit }: ChatRecords,
  place: ChatPlaceKey,
  before: PolicySettings,
  after: PolicySettings | null,
): Promise<void> {
  const { username } = userInfo();
  await audit.record({
    action: "policy_changed",
    place,
    thread: null,
    sessionId: null,
    person: { id: `operator:${username}`, name: username, email: null },
    detail: { before, after },
  });
}

function readPlace(args: string[]): { place: ChatPlaceKey; json: boolean } {
  const { values, positionals } = parseArgs({ args, options: { json: { type: "boolean" } }, allowPositionals: true });
  if (positionals.length > 1) throw new UsageError(`one place at a time: ${positionals.join(" ")}.`);
  return { place: placeNamed(positionals[0]), json: values.json ?? false };
}

const ANY_UNLESS_SET = "any, or none where agentId is set";
const NAME_CHARS = "monthlyBudgetUsd".length;

function writeSettings({ stdout }: CommandIo, place: ChatPlaceKey, settings: PolicySettings): void {
  const lines = Object.entries(settings).map(([name, value]) => `  ${name.padEnd(NAME_CHARS)}  ${shown(value)}\n`);
  stdout.write(`${place}\n${lines.join("") || "  (inherits everything)\n"}`);
}

type SettingValue = PolicySettings[keyof PolicySettings];

function shown(value: SettingValue): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" || typeof value === "number") return String(value);
  return !value || value.length === 0 ? "none" : value.join(", ");
}

function writeJson({ stdout }: CommandIo, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
