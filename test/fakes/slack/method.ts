import { z } from "zod";
import { invalid, Refusal } from "./refusal.ts";
import { type Channel, findMessage, type Installation, type Message, type Publish, type World } from "./world.ts";

/** Who calls, and in what world. */
export interface Call {
  world: World;
  installation: Installation;
  publish: Publish;
  settings: MethodSettings;
}

/** Opens one view. */
export interface Trigger {
  expiresAt: number;
  user: string;
  teamId: string;
  used: boolean;
}

/** A file that was announced. */
export interface Upload {
  filename: string;
  length: number;
  /** Null until they came. */
  bytes: Buffer | null;
  by: Installation;
}

export interface MethodSettings {
  /** Where the fake itself is reached. */
  origin: string;
  appId: string;
  streamLifetimeMs: number;
  triggerLifetimeMs: number;
  fileShareDelayMs: number;
  /** The app was declared an agent in its settings. */
  isAgent: boolean;
  /** Bot events that the app subscribed to. */
  events: ReadonlySet<string>;
  triggers: Map<string, Trigger>;
  uploads: Map<string, Upload>;
  /** Runs it after that time, unless the fake is closed first. */
  later(delayMs: number, effect: () => void): void;
}

export type Tier = 1 | 2 | 3 | 4 | "posting";

export interface Method {
  readonly scopes: readonly string[];
  readonly tier: Tier;
  /** @throws Refusal */
  run(
    call: Call,
    body: Record<string, unknown>,
  ): { args: Record<string, unknown>; effect: () => Record<string, unknown> };
}

/** Arguments that every method takes. */
const COMMON = { token: z.string().optional(), team_id: z.string().optional() };

export function method<Shape extends z.ZodRawShape>(
  { scopes, tier }: Pick<Method, "scopes" | "tier">,
  shape: Shape,
  effect: (call: Call, args: z.output<z.ZodObject<Shape>>) => Record<string, unknown>,
): Method {
  const schema = z.strictObject({ ...COMMON, ...shape });
  return {
    scopes,
    tier,
    run(call, body) {
      const parsed = schema.safeParse(body);
      if (!parsed.success) throw invalid(codeFor(parsed.error), parsed.error.issues.map(describe));
      refuseOtherTeam(call, body["team_id"]);
      const args = parsed.data as z.output<z.ZodObject<Shape>>;
      return { args, effect: () => effect(call, args) };
    },
  };
}

/** @throws Refusal when the channel is not one that this installation sees */
export function visibleChannel({ world, installation }: Call, id: string): Channel {
  const channel = world.channels.get(id);
  if (!channel || !channel.teamIds.some((team) => installation.teamIds.includes(team)))
    throw new Refusal("channel_not_found");
  if (channel.kind !== "public" && !channel.members.includes(installation.botUserId))
    throw new Refusal("channel_not_found");
  return channel;
}

/** @throws Refusal when the app may not write there */
export function writableChannel(call: Call, id: string): Channel {
  const channel = visibleChannel(call, id);
  if (channel.archived) throw new Refusal("is_archived");
  if (!channel.members.includes(call.installation.botUserId)) throw new Refusal("not_in_channel");
  return channel;
}

/** @throws Refusal unless it is the timestamp of a thread's root, or of a message that may become one */
export function threadRoot({ world }: Call, channel: string, threadTs: string): Message {
  const root = findMessage(world, channel, threadTs);
  if (!root) throw new Refusal("thread_not_found");
  if (root.threadTs !== null)
    throw new Refusal("thread_not_found", {
      violation: `thread_ts ${threadTs} is a reply, not the root of its thread`,
    });
  return root;
}

function refuseOtherTeam({ installation }: Call, teamId: unknown): void {
  if (typeof teamId !== "string" || installation.teamIds.includes(teamId)) return;
  throw new Refusal("team_access_not_granted", { violation: `team_id ${teamId} is not one of the token's teams` });
}

function codeFor(error: z.ZodError): string {
  const keys = new Set(error.issues.map(({ path }) => path[0]));
  if (keys.has("blocks")) return "invalid_blocks";
  if (keys.has("metadata")) return "invalid_metadata_format";
  if (keys.has("chunks")) return "invalid_chunks";
  return "invalid_arguments";
}

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.message} [json-pointer:/${issue.path.join("/")}]`;
}
