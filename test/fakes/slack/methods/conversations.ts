import { z } from "zod";
import { messageWire } from "../message-wire.ts";
import { type Call, type Method, method, visibleChannel } from "../method.ts";
import { invalid, Refusal } from "../refusal.ts";
import { type Channel, findMessage, type Message, threadOf } from "../world.ts";
import { flag, integer, ts } from "../wire.ts";

const REPLIES_DEFAULT = 1000;
const HISTORY_DEFAULT = 100;
const PAGE_MAX = 1000;
const range = {
  cursor: z.string().optional(),
  limit: integer.optional(),
  oldest: z.string().optional(),
  latest: z.string().optional(),
  inclusive: flag.optional(),
  include_all_metadata: flag.optional(),
};
type Range = z.output<z.ZodObject<typeof range>>;

/** The root comes on the first page, the third and so on: whether Slack repeats it is not certain, and no caller may mind. */
const replies = method(
  { scopes: ["channels:history|groups:history|im:history|mpim:history"], tier: 3 },
  { channel: z.string(), ts, ...range },
  (call, args) => {
    const channel = readableChannel(call, args.channel, "history");
    const message = findMessage(call.world, channel.id, args.ts);
    if (!message) throw new Refusal("thread_not_found");
    const range = { ...args, limit: args.limit ?? REPLIES_DEFAULT };
    if (message.threadTs !== null) return page(call, [message], range);
    const [root, ...rest] = threadOf(call.world, channel.id, args.ts);
    return page(call, rest.filter(within(args)), range, root);
  },
);

const history = method(
  { scopes: ["channels:history|groups:history|im:history|mpim:history"], tier: 3 },
  { channel: z.string(), ...range },
  (call, args) => {
    const channel = readableChannel(call, args.channel, "history");
    const top = call.world.messages.filter(
      (each) => each.channel === channel.id && each.threadTs === null && !each.ephemeralFor,
    );
    return page(call, top.filter(within(args)).toReversed(), { ...args, limit: args.limit ?? HISTORY_DEFAULT });
  },
);

const info = method(
  { scopes: ["channels:read|groups:read|im:read|mpim:read"], tier: 3 },
  { channel: z.string(), include_locale: flag.optional(), include_num_members: flag.optional() },
  (call, args) => {
    const channel = visibleChannel(call, args.channel);
    refuseKind(call, channel, "read");
    return {
      channel: {
        ...channelWire(call, channel),
        ...(args.include_num_members && { num_members: channel.members.length }),
      },
    };
  },
);

const open = method(
  { scopes: ["im:write"], tier: 3 },
  {
    users: z.string().optional(),
    channel: z.string().optional(),
    return_im: flag.optional(),
    prevent_creation: flag.optional(),
  },
  (call, args) => {
    if (args.channel !== undefined) return { channel: channelWire(call, visibleChannel(call, args.channel)) };
    const { world, installation } = call;
    const [userId, ...more] = (args.users ?? "").split(",");
    const user = world.users.get(userId ?? "");
    if (!user || more.length > 0) throw new Refusal("user_not_found");
    const members = [installation.botUserId, user.id];
    const known = [...world.channels.values()].find(
      ({ kind, members: given }) => kind === "im" && members.every((member) => given.includes(member)),
    );
    const id = world.nextId("D");
    const base = { id, name: "", kind: "im" as const, members, archived: false, extShared: false };
    const channel = known ?? { ...base, teamIds: [user.teamId, ...installation.teamIds] };
    world.channels.set(channel.id, channel);
    return { already_open: Boolean(known), channel: args.return_im ? channelWire(call, channel) : { id: channel.id } };
  },
);

export const conversationMethods: Record<string, Method> = {
  "conversations.replies": replies,
  "conversations.history": history,
  "conversations.info": info,
  "conversations.open": open,
};

const SCOPE_OF = { public: "channels", private: "groups", im: "im", mpim: "mpim" };

function readableChannel(call: Call, id: string, what: "history"): Channel {
  const channel = visibleChannel(call, id);
  refuseKind(call, channel, what);
  if (!channel.members.includes(call.installation.botUserId)) throw new Refusal("not_in_channel");
  return channel;
}

function refuseKind({ installation }: Call, { kind }: Channel, what: "history" | "read"): void {
  const needed = `${SCOPE_OF[kind]}:${what}`;
  if (installation.scopes.has(needed)) return;
  throw new Refusal("missing_scope", { more: { needed, provided: [...installation.scopes].join(",") } });
}

function within({ oldest, latest, inclusive = false }: Range): (message: Message) => boolean {
  return ({ ts }) => {
    const late = oldest === undefined || Number(ts) > Number(oldest) || (inclusive && ts === oldest);
    const early = latest === undefined || Number(ts) < Number(latest) || (inclusive && ts === latest);
    return late && early;
  };
}

function page(call: Call, messages: Message[], args: Range & { limit: number }, first?: Message) {
  const { limit } = args;
  if (limit < 1 || limit > PAGE_MAX) throw invalid("invalid_limit", [`a limit of ${limit}`]);
  const from = args.cursor ? decodeCursor(args.cursor) : 0;
  const until = from + limit;
  const shown = [...(first && (from / limit) % 2 === 0 ? [first] : []), ...messages.slice(from, until)];
  const hasMore = until < messages.length;
  return {
    messages: shown.map((each) =>
      messageWire(call.world, each, call.settings.origin, args.include_all_metadata ?? false),
    ),
    has_more: hasMore,
    ...(hasMore && { response_metadata: { next_cursor: Buffer.from(`next:${until}`).toString("base64") } }),
  };
}

function decodeCursor(cursor: string): number {
  const [, from] = /^next:(\d+)$/.exec(Buffer.from(cursor, "base64").toString()) ?? [];
  if (from === undefined) throw invalid("invalid_cursor", ["a cursor that was not given out"]);
  return Number(from);
}

function channelWire({ installation }: Call, channel: Channel): Record<string, unknown> {
  const { id, name, kind, archived, extShared, teamIds, members } = channel;
  const partner = members.find((member) => member !== installation.botUserId);
  return {
    id,
    ...(kind === "im"
      ? { user: partner }
      : { name, name_normalized: name, is_member: members.includes(installation.botUserId) }),
    is_channel: kind === "public",
    is_group: kind === "private",
    is_im: kind === "im",
    is_mpim: kind === "mpim",
    is_private: kind !== "public",
    is_archived: archived,
    is_ext_shared: extShared,
    is_shared: teamIds.length > 1,
    is_org_shared: teamIds.length > 1 && !extShared,
    context_team_id: teamIds[0],
    shared_team_ids: teamIds,
    topic: { value: "", creator: "", last_set: 0 },
    purpose: { value: "", creator: "", last_set: 0 },
  };
}
