import { adornmentsOf, refuseWrongActivity, streamEntityOf } from "./activity-rules.ts";
import { OutboundActivity } from "./activity-shape.ts";
import type { Grant } from "./login.ts";
import { bodyAs, type Call, jsonOf, type Operation, type Reply } from "./operation.ts";
import { recordOf } from "./record-of.ts";
import { badSyntax, Refusal } from "./refusal.ts";
import { StreamInfo, type Streams } from "./streaming.ts";
import type { Throttle } from "./throttles.ts";
import {
  type Activity,
  type Conversation,
  findActivity,
  splitConversationId,
  threadId,
  type User,
  type World,
} from "./world.ts";

export interface ConnectorDeps {
  world: World;
  streams: Streams;
  throttle: Throttle;
  messageSizeMaxBytes: number;
  /** Who calls; null when the fake takes anybody. @throws Refusal 401 */
  admit(call: Call): Grant | null;
}

/** A place that a call names, in which the bot may act. */
export interface Place {
  conversation: Conversation;
  rootId: string | null;
}

const CONVERSATION = String.raw`^/amer/v3/conversations/([^/]+)`;

/** Posting, editing and deleting, as a bot does it. */
export function messageOperations(deps: ConnectorDeps): Operation[] {
  return [
    {
      name: "send",
      method: "POST",
      path: new RegExp(`${CONVERSATION}/activities$`),
      run: (call) => post(deps, call),
    },
    {
      name: "reply",
      method: "POST",
      path: new RegExp(`${CONVERSATION}/activities/([^/]+)$`),
      run: (call) => post(deps, call),
    },
    {
      name: "update",
      method: "PUT",
      path: new RegExp(`${CONVERSATION}/activities/([^/]+)$`),
      run: (call) => update(deps, call),
    },
    {
      name: "delete",
      method: "DELETE",
      path: new RegExp(`${CONVERSATION}/activities/([^/]+)$`),
      run: (call) => remove(deps, call),
    },
  ];
}

/** @throws Refusal when the conversation is unknown, or the bot may not act there */
export function placeOf({ world }: ConnectorDeps, name: string): Place {
  const { base, rootId } = splitConversationId(name);
  const conversation = world.conversations.find(({ id }) => id === base);
  if (!conversation) throw new Refusal(404, "ConversationNotFound", "Conversation not found.");
  if (!conversation.botInRoster)
    throw new Refusal(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.");
  if (conversation.blocked)
    throw new Refusal(403, "ConversationBlockedByUser", "User blocked the conversation with the bot.");
  if (rootId !== null && conversation.kind !== "channel") throw badSyntax(`;messageid= in a ${conversation.kind}`);
  if (rootId !== null && !findActivity(world, conversation, rootId))
    throw new Refusal(404, "ConversationNotFound", `No thread ${rootId} in the channel.`);
  return { conversation, rootId };
}

/** Checks an activity, puts it into the world and names it. @throws Refusal */
export function postActivity(
  deps: ConnectorDeps,
  { conversation, rootId }: Place,
  wire: Record<string, unknown>,
  activity: OutboundActivity,
  targetedTo: User | null,
): string {
  const { world, streams } = deps;
  refuseWrongActivity(activity, conversation, deps.messageSizeMaxBytes);
  const entity = streamEntityOf(activity);
  if (entity) {
    const info = StreamInfo.safeParse(entity);
    if (!info.success)
      throw badSyntax("Only start streaming and continue streaming types are allowed as a typing activity");
    const part = {
      info: info.data,
      type: activity.type,
      text: activity.text ?? "",
      adornments: adornmentsOf(activity),
    };
    const taken = streams.take(conversation, part, () => world.nextActivityId());
    if (taken.step === "out_of_order")
      throw new Refusal(202, "ContentStreamSequenceOrderPreConditionFailed", "PreCondition failed exception.");
    if (taken.step === "final") keep(world, { conversation, rootId }, taken.stream.id, wire, null);
    return taken.stream.id;
  }
  const id = world.nextActivityId();
  if (activity.type === "message") keep(world, { conversation, rootId }, id, wire, targetedTo);
  return id;
}

/** What it replies to may be anything: threads are told by the conversation's id, and SDKs make ids up. */
function post(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const place = placeOf(deps, call.params[0] ?? "");
  const { conversation, rootId } = place;
  deps.throttle("perThread", threadId(conversation, rootId));
  const activity = bodyAs(OutboundActivity, call);
  const targetedTo = isTargeted(call) ? targetOf(activity, conversation) : null;
  const id = postActivity(deps, place, recordOf(jsonOf(call.body)), activity, targetedTo);
  return { status: 201, body: { id } };
}

function update(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const { conversation, rootId } = placeOf(deps, call.params[0] ?? "");
  deps.throttle("perThread", threadId(conversation, rootId));
  const activity = bodyAs(OutboundActivity, call);
  const id = call.params[1] ?? "";
  if (deps.streams.all.some((stream) => stream.id === id && stream.state === "open"))
    throw new Refusal(403, "ContentStreamNotAllowed", "Content stream is not allowed", {
      violation: "an edit of what still streams",
    });
  const existing = ownActivity(deps, conversation, call);
  if (activity.type !== "message" || streamEntityOf(activity)) throw badSyntax("an edit is a whole message");
  refuseWrongActivity(activity, conversation, deps.messageSizeMaxBytes);
  existing.wire = recordOf(jsonOf(call.body));
  existing.versions.push(existing.wire);
  return { status: 200, body: { id } };
}

function remove(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const { conversation, rootId } = placeOf(deps, call.params[0] ?? "");
  deps.throttle("perThread", threadId(conversation, rootId));
  ownActivity(deps, conversation, call).deleted = true;
  return { status: 200 };
}

/** @throws Refusal unless the bot wrote it and it is still there */
function ownActivity({ world }: ConnectorDeps, conversation: Conversation, call: Call): Activity {
  const existing = findActivity(world, conversation, call.params[1] ?? "");
  if (!existing || existing.deleted)
    throw new Refusal(404, "ActivityNotFoundInConversation", "The activity is gone, or was never there.");
  if (existing.from !== null)
    throw new Refusal(403, "NotEnoughPermissions", "Only the author may change a message.", {
      violation: "the bot wanted to change what a person wrote",
    });
  if ((existing.targetedTo !== null) !== isTargeted(call))
    throw badSyntax("isTargetedActivity is not what the activity is");
  return existing;
}

function keep(
  world: World,
  { conversation, rootId }: Place,
  id: string,
  wire: Record<string, unknown>,
  targetedTo: User | null,
): void {
  const thread = conversation.kind === "channel" ? (rootId ?? id) : null;
  const at = world.clock.now();
  const fresh = { from: null, deleted: false, views: new Map<string, unknown>(), versions: [wire], files: [] };
  world.activities.push({ ...fresh, id, conversation, rootId: thread, wire, at, targetedTo });
}

function isTargeted({ query }: Call): boolean {
  return query.get("isTargetedActivity") === "true";
}

function targetOf({ recipient, type }: OutboundActivity, { kind, members }: Conversation): User {
  if (kind === "personal") throw badSyntax("a targeted message in a personal chat");
  if (type !== "message") throw badSyntax("only messages are targeted");
  const user = members.find(({ id }) => id === recipient?.id);
  if (!user) throw badSyntax(`a targeted message to ${recipient?.id}, who is not in the conversation`);
  return user;
}
