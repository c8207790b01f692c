import type { TokenDefect } from "./channel-tokens.ts";
import type { Drive } from "./drive.ts";
import { CLIENT_INFO, envelope, htmlStub, mentionOf } from "./inbound.ts";
import type { Outbox, Sent } from "./outbox.ts";
import {
  type Activity,
  type Conversation,
  conversationOf,
  findActivity,
  type Kind,
  type User,
  userOf,
  type World,
} from "./world.ts";

export interface SaidFile {
  name: string;
  bytes: Buffer;
  /** A picture in the text itself, rather than a file beside it. */
  inline?: boolean;
}

export interface Saying {
  /** Where it is when no conversation is named: the user's personal chat, `group`, `eng`. */
  kind?: Kind;
  /** Key or id, as `default-world.ts` lists them. */
  conversation?: string;
  /** Key or id. */
  user: string;
  text: string;
  /** Writes `<at>…</at>` before the text, with its entity. In groups and channels that is so when left out. */
  mention?: boolean;
  /** Of the channel's thread that it replies to. */
  rootId?: string;
  files?: SaidFile[];
  /** Only the bot sees it: a command chosen after `/`. */
  targeted?: boolean;
  token?: TokenDefect;
  /** Last words on the activity, such as other fields. */
  change?(activity: Record<string, unknown>): Record<string, unknown>;
}

/** A message of a person; `sent` is null when the bot is not told of it. */
export interface Said {
  id: string;
  /** Of the thread: `rootId` to reply in; null outside channels. */
  rootId: string | null;
  /** As the bot gets it: in channels with `;messageid=`. */
  conversationId: string;
  sent: Sent | null;
  /** Resolves when the bot has taken it, or at once when it isn't told. */
  done: Promise<unknown>;
}

export interface People {
  say(saying: Saying): Said;
  /** `messageUpdate`; the mention stays if it was one. */
  edit(id: string, text: string): Sent;
  /** `messageDelete` */
  unsay(id: string): Sent;
  /** Somebody deletes what the bot wrote; it isn't told, and its next edit is a 404. */
  deleteForBot(id: string): void;
}

export interface PeopleDeps {
  world: World;
  outbox: Outbox;
  drive: Drive;
  serviceUrl(): string;
  /** The app was granted to read every message: the ones without a mention come too. */
  hearsEverything: boolean;
  /** Messages in channels name the team's group in Entra. */
  groupIdInMessages: boolean;
}

export function createPeople(deps: PeopleDeps): People {
  const { world, outbox } = deps;
  const botsMention = mentionOf(world);
  const said = (id: string): Activity & { from: User } => {
    const found = world.activities.find((each) => each.id === id);
    if (!found?.from) throw new Error(`Nobody said ${id}.`);
    return { ...found, from: found.from };
  };
  const changed = (id: string, type: string, eventType: string, text: string): Sent => {
    const { conversation, from: user, rootId, wire } = said(id);
    const head = envelope(world, {
      conversation,
      user,
      rootId,
      serviceUrl: deps.serviceUrl(),
      wholeTeam: deps.groupIdInMessages,
    });
    const channelData = { ...Object(head["channelData"]), eventType };
    const mentioned = String(wire["text"]).startsWith(botsMention.text);
    const whole = mentioned && text !== "" ? `${botsMention.text} ${text}` : text;
    const entities = mentioned ? [botsMention, CLIENT_INFO] : [CLIENT_INFO];
    return outbox.send({ ...head, type, id, channelData, entities, ...(text !== "" && { text: whole }) });
  };

  return {
    say(saying) {
      const user = userOf(world, saying.user);
      const conversation = conversationOf(world, saying.conversation ?? placeOf(saying, user));
      const mention = saying.mention ?? conversation.kind !== "personal";
      const activity = activityOf(deps, saying, conversation, user, mention);
      const { id, rootId } = activity;
      if (saying.targeted !== true) world.activities.push(activity);
      const heard =
        conversation.botInRoster && (mention || conversation.kind === "personal" || saying.targeted === true);
      const sent = heard || deps.hearsEverything ? outbox.send(activity.wire, saying.token) : null;
      const conversationId = rootId === null ? conversation.id : `${conversation.id};messageid=${rootId}`;
      return { id, rootId, conversationId, sent, done: sent?.done ?? Promise.resolve() };
    },
    edit: (id, text) => changed(id, "messageUpdate", "editMessage", text),
    unsay(id) {
      const found = world.activities.find((each) => each.id === id);
      if (found) found.deleted = true;
      return changed(id, "messageDelete", "softDeleteMessage", "");
    },
    deleteForBot(id) {
      const found = world.activities.find((each) => each.id === id && each.from === null);
      if (!found) throw new Error(`The bot wrote no ${id}.`);
      found.deleted = true;
    },
  };
}

function activityOf(
  deps: PeopleDeps,
  saying: Saying,
  conversation: Conversation,
  user: User,
  mention: boolean,
): Activity {
  const { world } = deps;
  const botsMention = mentionOf(world);
  const id = world.nextActivityId();
  const channel = conversation.kind === "channel";
  if (saying.rootId !== undefined && (!channel || !findActivity(world, conversation, saying.rootId)))
    throw new Error(`${conversation.key} has no thread ${saying.rootId}.`);
  const rootId = channel ? (saying.rootId ?? id) : null;
  const files = saying.files ?? [];
  const stored = files
    .filter(({ inline }) => inline !== true)
    .map((file) => deps.drive.keep(conversation, { ...file, by: user.aadObjectId }));
  const attached = attachmentsOf(deps, conversation, saying, stored);
  const head = envelope(world, {
    conversation,
    user,
    rootId,
    serviceUrl: deps.serviceUrl(),
    wholeTeam: deps.groupIdInMessages,
  });
  const wire = {
    ...head,
    type: "message",
    id,
    text: mention ? `${botsMention.text} ${saying.text}` : saying.text,
    textFormat: "plain",
    ...(attached.length > 0 && { attachments: attached }),
    ...(mention && { entities: [botsMention, CLIENT_INFO] }),
    ...(saying.targeted === true && { recipient: { ...Object(head["recipient"]), isTargeted: true } }),
    ...(channel && saying.rootId !== undefined && { replyToId: saying.rootId }),
  };
  const fresh = { deleted: false, targetedTo: null, views: new Map<string, unknown>(), files: stored };
  const last = saying.change?.(wire) ?? wire;
  return { ...fresh, id, conversation, rootId, from: user, wire: last, versions: [last], at: world.clock.now() };
}

/** Files come to the bot in personal chats alone; elsewhere there is a stub, and Graph knows the rest. */
function attachmentsOf(
  { drive }: PeopleDeps,
  { kind }: Conversation,
  { files = [], text }: Saying,
  stored: Activity["files"],
) {
  const pictures = files.filter(({ inline }) => inline === true);
  const inline = pictures.map((file) => ({ contentType: "image/*", contentUrl: drive.inlineUrl(file) }));
  if (kind === "personal") {
    const shown = stored.map((item) => drive.downloadInfo(item));
    return [...shown, ...inline, ...(inline.length > 0 ? [htmlStub(`<p>${text}</p>`)] : [])];
  }
  const marks = stored.map(({ uniqueId }) => `<attachment id="${uniqueId}"></attachment>`).join("");
  return [...inline, htmlStub(`<div><p>${text}</p>${marks}</div>`)];
}

function placeOf({ kind }: Saying, user: User): string {
  if (kind === "channel") return "eng";
  return kind === "groupChat" ? "group" : user.key;
}
