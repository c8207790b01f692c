import { channelOf, chatOf, get, type GraphDeps, ok, permitted } from "./graph-access.ts";
import type { Call, Operation, Reply } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { Activity, World } from "./world.ts";

const CHANNEL_READ = ["ChannelMessage.Read.All", "ChannelMessage.Read.Group"];
const CHAT_READ = ["Chat.Read.All", "Chat.ReadWrite.All", "ChatMessage.Read.Chat"];
const TOP_DEFAULT = 20;
const TOP_MAX = 50;
const MESSAGES = String.raw`^/graph/v1\.0/teams/([^/]+)/channels/([^/]+)/messages`;
const CHAT = String.raw`^/graph/v1\.0/chats/([^/]+)/messages`;

/** Messages of channel threads and of chats, newest first, in pages. */
export function messageListOperations(deps: GraphDeps): Operation[] {
  const { world } = deps;
  const inChannel = (call: Call): Activity[] => {
    const grant = permitted(deps, call, CHANNEL_READ);
    const channel = channelOf(deps, grant, call.params[0] ?? "", call.params[1] ?? "");
    return world.activities.filter((each) => each.conversation === channel && each.targetedTo === null);
  };
  const inChat = (call: Call): Activity[] => {
    const chat = chatOf(deps, permitted(deps, call, CHAT_READ), call.params[0] ?? "");
    return world.activities.filter((each) => each.conversation === chat && each.targetedTo === null);
  };
  const replies = (call: Call) =>
    inChannel(call).filter(({ id, rootId }) => rootId === call.params[2] && id !== rootId);

  return [
    get("message", new RegExp(`${MESSAGES}/([^/]+)$`), (call) => one(world, inChannel(call), call.params[2])),
    get("replies", new RegExp(`${MESSAGES}/([^/]+)/replies$`), (call) => page(world, call, replies(call))),
    get("replyMessage", new RegExp(`${MESSAGES}/([^/]+)/replies/([^/]+)$`), (call) =>
      one(world, replies(call), call.params[3]),
    ),
    get("chatMessages", new RegExp(`${CHAT}$`), (call) => page(world, call, inChat(call))),
    get("chatMessage", new RegExp(`${CHAT}/([^/]+)$`), (call) => one(world, inChat(call), call.params[1])),
  ];
}

function one(world: World, among: readonly Activity[], id: string | undefined): Reply {
  const found = among.find((each) => each.id === id);
  if (!found) throw new Refusal(404, "NotFound", "No such message.");
  return ok(messageWire(world, found));
}

function page(world: World, { query, url }: Call, messages: readonly Activity[]): Reply {
  const top = Number(query.get("$top") ?? TOP_DEFAULT);
  if (!Number.isInteger(top) || top < 1 || top > TOP_MAX)
    throw new Refusal(400, "BadRequest", `$top is ${top}.`, { violation: `$top=${top}` });
  const skip = Number(query.get("$skiptoken") ?? 0);
  const shown = messages.toReversed().slice(skip, skip + top);
  if (skip + top >= messages.length) return ok({ value: shown.map((each) => messageWire(world, each)) });
  const next = new URL(url);
  next.searchParams.set("$top", String(top));
  next.searchParams.set("$skiptoken", String(skip + top));
  return ok({ value: shown.map((each) => messageWire(world, each)), "@odata.nextLink": next.href });
}

function messageWire({ appId, bot }: World, { id, rootId, from, wire, at, deleted, files }: Activity) {
  const user = from && { id: from.aadObjectId, displayName: from.name, userIdentityType: "aadUser" };
  const application = from ? null : { id: appId, displayName: bot.name, applicationIdentityType: "bot" };
  const mention = { id: 0, mentionText: bot.name, mentioned: { application: { id: appId, displayName: bot.name } } };
  const marks = files.map(({ uniqueId }) => `<attachment id="${uniqueId}"></attachment>`).join("");
  const cards = Array.isArray(wire["attachments"]) && !from ? wire["attachments"] : [];
  return {
    id,
    replyToId: rootId === id ? null : rootId,
    messageType: "message",
    createdDateTime: new Date(at).toISOString(),
    deletedDateTime: deleted ? new Date(at).toISOString() : null,
    from: { user, application },
    body: deleted
      ? { contentType: "html", content: "" }
      : { contentType: "html", content: `<p>${htmlOf(wire)}</p>${marks}` },
    attachments: [
      ...files.map(({ uniqueId, webUrl, name }) => ({
        id: uniqueId,
        contentType: "reference",
        contentUrl: webUrl,
        name,
      })),
      ...cards.map((card: unknown) => ({
        id: `${id}-card`,
        ...Object(card),
        content: JSON.stringify(Object(card).content),
      })),
    ],
    mentions: String(wire["text"]).includes("<at>") ? [mention] : [],
  };
}

/** Graph numbers mentions: `<at id="0">`. */
function htmlOf({ text }: Record<string, unknown>): string {
  return typeof text === "string" ? text.replaceAll("<at>", '<at id="0">') : "";
}
