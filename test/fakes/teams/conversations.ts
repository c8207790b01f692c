import { NewConversation } from "./activity-shape.ts";
import { type ConnectorDeps, placeOf, postActivity } from "./connector.ts";
import { bodyAs, type Call, jsonOf, type Operation, type Reply } from "./operation.ts";
import { recordOf } from "./record-of.ts";
import { badSyntax, Refusal } from "./refusal.ts";
import { type Conversation, threadId, type User } from "./world.ts";

const CONVERSATION = String.raw`^/amer/v3/conversations/([^/]+)`;
const PAGE_SIZE = 50;

/** Who is in a conversation, what a team is, and new conversations and threads. */
export function conversationOperations(deps: ConnectorDeps): Operation[] {
  return [
    { name: "create", method: "POST", path: /^\/amer\/v3\/conversations\/?$/, run: (call) => create(deps, call) },
    {
      name: "member",
      method: "GET",
      path: new RegExp(`${CONVERSATION}/members/([^/]+)$`),
      run: (call) => member(deps, call),
    },
    {
      name: "members",
      method: "GET",
      path: new RegExp(`${CONVERSATION}/pagedmembers$`),
      run: (call) => members(deps, call),
    },
    { name: "team", method: "GET", path: /^\/amer\/v3\/teams\/([^/]+)$/, run: (call) => team(deps, call) },
  ];
}

function create(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const asked = bodyAs(NewConversation, call);
  const channelId = asked.channelData?.channel?.id;
  const conversation = channelId === undefined ? personalOf(deps, asked) : placeOf(deps, channelId).conversation;
  if (conversation.blocked) throw new Refusal(403, "ConversationBlockedByUser", "User blocked the conversation.");
  deps.throttle("perThread", conversation.id);
  if (!asked.activity) {
    if (channelId !== undefined) throw badSyntax("a new thread in a channel begins with an activity");
    return { status: 201, body: { id: conversation.id } };
  }
  const wire = recordOf(recordOf(jsonOf(call.body))["activity"]);
  const activityId = postActivity(deps, { conversation, rootId: null }, wire, asked.activity, null);
  const id = conversation.kind === "channel" ? threadId(conversation, activityId) : conversation.id;
  return { status: 201, body: { id, activityId } };
}

function personalOf(
  { world }: ConnectorDeps,
  { members = [], tenantId, channelData, isGroup }: NewConversation,
): Conversation {
  const tenant = tenantId ?? channelData?.tenant?.id;
  if (isGroup || members.length !== 1) throw badSyntax("a personal chat is made with exactly one member");
  if (tenant === undefined) throw badSyntax("a personal chat is made with its tenant's id");
  const user = world.users.find(({ id, aadObjectId }) => id === members[0]?.id || aadObjectId === members[0]?.id);
  if (!user || user.tenantId !== tenant) throw new Refusal(404, "UserNotFound", "No such user in the tenant.");
  const known = world.conversations.find((each) => each.kind === "personal" && each.members[0] === user);
  if (known) return known;
  const base = { team: null, botInRoster: true, blocked: false, folder: null, tenantId: user.tenantId };
  const id = `a:personal-${user.key}`;
  const made: Conversation = { ...base, id, key: user.key, kind: "personal", name: user.key, members: [user] };
  world.conversations.push(made);
  return made;
}

function member(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const { conversation } = placeOf(deps, call.params[0] ?? "");
  deps.throttle("members", conversation.id);
  const found = conversation.members.find(({ id, aadObjectId }) => [id, aadObjectId].includes(call.params[1] ?? ""));
  if (!found) throw new Refusal(404, "MemberNotFoundInConversation", "The member is not in the conversation.");
  return { status: 200, body: memberWire(found) };
}

function members(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const { conversation } = placeOf(deps, call.params[0] ?? "");
  deps.throttle("members", conversation.id);
  const start = Number(call.query.get("continuationToken") ?? 0);
  const size = Number(call.query.get("pageSize") ?? PAGE_SIZE);
  const page = conversation.members.slice(start, start + size).map(memberWire);
  const more = start + size < conversation.members.length;
  return { status: 200, body: { members: page, ...(more && { continuationToken: String(start + size) }) } };
}

function team(deps: ConnectorDeps, call: Call): Reply {
  deps.admit(call);
  const found = deps.world.teams.find(({ id }) => id === call.params[0]);
  if (!found) throw new Refusal(404, "NotFound", "No such team.");
  const { id, name, aadGroupId } = found;
  return { status: 200, body: { id, name, aadGroupId, type: "standard" } };
}

/** Guests have an address of their own; who hides it has none. */
function memberWire({ id, aadObjectId, name, email, role, tenantId }: User) {
  const [givenName, surname] = name.split(" ");
  const names = { name, givenName, surname, email, userPrincipalName: email };
  return { id, objectId: aadObjectId, aadObjectId, ...names, tenantId, userRole: role };
}
