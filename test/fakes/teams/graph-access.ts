import type { Grant, Login } from "./login.ts";
import type { Call, Operation, Reply } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { Conversation, World } from "./world.ts";
import type { Drive } from "./drive.ts";

export interface GraphDeps {
  world: World;
  drive: Drive;
  login: Login;
}

/** @param permissions any of which is enough. @throws Refusal 401 or 403 */
export function permitted({ login, world }: GraphDeps, call: Call, permissions: readonly string[]): Grant {
  const grant = login.grantOf(call, "graph");
  const granted = world.tenants.get(grant.tenantId)?.graphPermissions ?? new Set();
  if (permissions.some((each) => granted.has(each))) return grant;
  const message = `Missing role permissions on the request. API requires one of '${permissions.join(", ")}'.`;
  throw new Refusal(403, "Forbidden", message);
}

/** A channel of a team in the token's tenant. @throws Refusal 404 */
export function channelOf({ world }: GraphDeps, { tenantId }: Grant, groupId: string, channelId: string): Conversation {
  const found = world.conversations.find(
    ({ id, team }) => id === channelId && team?.aadGroupId === groupId && team.tenantId === tenantId,
  );
  if (!found) throw new Refusal(404, "NotFound", "No team or channel with that id.");
  return found;
}

/** A chat in the token's tenant. @throws Refusal 404 */
export function chatOf({ world }: GraphDeps, { tenantId }: Grant, chatId: string): Conversation {
  const found = world.conversations.find(
    (each) => each.id === chatId && each.kind !== "channel" && each.tenantId === tenantId,
  );
  if (!found) throw new Refusal(404, "NotFound", "No chat with that id.");
  return found;
}

export function get(name: string, path: RegExp, run: (call: Call) => Reply): Operation {
  return { name: `graph.${name}`, method: "GET", path, run };
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}
