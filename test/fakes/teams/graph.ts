import { chatOf, get, type GraphDeps, ok, permitted } from "./graph-access.ts";
import { driveOperations } from "./graph-files.ts";
import { messageListOperations } from "./graph-messages.ts";
import type { Operation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { User } from "./world.ts";

/** The part of Microsoft Graph that the bot needs, with the app's own token. */
export function graphOperations(deps: GraphDeps): Operation[] {
  return [
    ...driveOperations(deps),
    ...messageListOperations(deps),
    userOperation(deps),
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
