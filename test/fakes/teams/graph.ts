import { z } from "zod";
import { chatOf, get, type GraphDeps, ok, permitted } from "./graph-access.ts";
import { driveOperations } from "./graph-files.ts";
import { messageListOperations } from "./graph-messages.ts";
import { bodyAs, type Operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { User } from "./world.ts";

/** The part of Microsoft Graph that the bot needs, with the app's own token. */
export function graphOperations(deps: GraphDeps): Operation[] {
  return [
    ...driveOperations(deps),
    ...messageListOperations(deps),
    userOperation(deps),
    memberGroupsOperation(deps),
    membersOperation(deps),
    meOperation(),
  ];
}

function userOperation(deps: GraphDeps): Operation {
  return get("user", /^\/graph\/v1\.0\/users\/([^/]+)$/, (call) => {
    const { tenantId } = permitted(deps, call, ["User.Read.All", "User.ReadBasic.All"]);
    const user = deps.world.users.find((each) => each.aadObjectId === call.params[0] && each.tenantId === tenantId);
    if (!user) throw new Refusal(404, "Request_ResourceNotFound", "No such user.");
    return ok(userWire(user));
  });
}

const GroupsBody = z.object({ groupIds: z.array(z.string()).min(1).max(20) });

/** Takes both permissions of the first pair, or the other one alone. */
function memberGroupsOperation(deps: GraphDeps): Operation {
  return {
    name: "graph.checkMemberGroups",
    method: "POST",
    path: /^\/graph\/v1\.0\/users\/([^/]+)\/checkMemberGroups$/,
    run(call) {
      permitted(deps, call, ["User.Read.All", "Directory.Read.All"]);
      const { tenantId } = permitted(deps, call, ["GroupMember.Read.All", "Directory.Read.All"]);
      const [userId = ""] = call.params;
      const { groupIds } = bodyAs(GroupsBody, call);
      const groups = deps.world.tenants.get(tenantId)?.groups;
      return ok({ value: groupIds.filter((group) => groups?.get(group)?.has(userId)) });
    },
  };
}

function membersOperation(deps: GraphDeps): Operation {
  return get("chatMembers", /^\/graph\/v1\.0\/chats\/([^/]+)\/members$/, (call) => {
    const grant = permitted(deps, call, ["ChatMember.Read.All", "ChatMember.Read.Chat"]);
    const { members } = chatOf(deps, grant, call.params[0] ?? "");
    return ok({
      value: members.map(({ aadObjectId, name, email }) => ({ userId: aadObjectId, displayName: name, email })),
    });
  });
}

function meOperation(): Operation {
  return get("me", /^\/graph\/v1\.0\/me(\/.*)?$/, () => {
    const message = "/me request is only valid with delegated authentication flow.";
    throw new Refusal(400, "BadRequest", message, { violation: "/me with the app's own token" });
  });
}

function userWire({ aadObjectId, name, email }: User) {
  return { id: aadObjectId, displayName: name, mail: email, userPrincipalName: email };
}
