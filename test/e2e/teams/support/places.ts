import { randomUUID } from "node:crypto";
import type { FakeTeams } from "../../../fakes/teams-connector.ts";
import { type Conversation, type User, userOf } from "../../../fakes/teams/world.ts";

/** A place where nobody else posts, so that its pace makes nothing wait. All return its key. */
export function newChannel({ world }: FakeTeams): string {
  const key = world.nextId("channel-");
  const [team = null] = world.teams;
  const id = `19:${key}@thread.tacv2`;
  const folder = { driveId: `b!drive-${key}`, itemId: `folder-${key}` };
  return add(world, { id, key, kind: "channel", team, folder, members: everybody(world) });
}

export function newGroup({ world }: FakeTeams): string {
  const key = world.nextId("group-");
  return add(world, { id: `19:${key}@thread.v2`, key, kind: "groupChat", members: everybody(world) });
}

/** A person of the first tenant who has written with the app; their personal chat goes by the same key. */
export function newPerson({ world, tenantId }: FakeTeams): string {
  const key = world.nextId("person-");
  const names = { id: `29:1-${key}`, key, name: `Pat ${key}`, email: `${key}@acme.test` };
  const user: User = { ...names, aadObjectId: randomUUID(), tenantId, role: "user" };
  world.users.push(user);
  return add(world, { id: `a:personal-${key}`, key, kind: "personal", members: [user] });
}

function add(
  world: FakeTeams["world"],
  given: Pick<Conversation, "id" | "key" | "kind" | "members"> & Partial<Conversation>,
): string {
  const tenantId = given.members[0]?.tenantId ?? "";
  const usual = { tenantId, name: given.key, team: null, botInRoster: true, blocked: false, folder: null };
  world.conversations.push({ ...usual, ...given });
  return given.key;
}

/** The first tenant's members and its guest. */
function everybody(world: FakeTeams["world"]): User[] {
  return ["alice", "bob", "gustav"].map((key) => userOf(world, key));
}
