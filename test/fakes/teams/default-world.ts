import type { Conversation, Team, User, World } from "./world.ts";

export const TENANT = "ac3e0000-0000-4000-8000-000000000001";
export const OTHER_TENANT = "07e40000-0000-4000-8000-000000000002";

/**
 * Two organisations that have the app.
 *
 * TENANT: users alice, bob, gustav (a guest); personal chats `alice`, `bob` (they have written with the bot); group chat
 *   `group` (all three); team Engineering with channels `eng` and `ops`; channel `out` of a team that lacks the app
 * OTHER_TENANT: user zoe; personal chat `zoe`; channel `other` of the team Elsewhere
 * Graph permissions: none, until `permit`.
 */
export function fillWorld(world: World): void {
  world.tenants.set(TENANT, { id: TENANT, graphPermissions: new Set(), groups: new Map() });
  world.tenants.set(OTHER_TENANT, { id: OTHER_TENANT, graphPermissions: new Set(), groups: new Map() });
  const alice = person(world, TENANT, "alice", "Alice Acme");
  const bob = person(world, TENANT, "bob", "Bob Acme");
  const gustav = person(world, TENANT, "gustav", "Gustav Guest", "guest");
  const zoe = person(world, OTHER_TENANT, "zoe", "Zoe Other");

  for (const user of [alice, bob, zoe])
    conversation(world, { id: `a:personal-${user.key}`, key: user.key, kind: "personal", members: [user] });
  const everybody = [alice, bob, gustav];
  conversation(world, { id: "19:0000group@thread.v2", key: "group", kind: "groupChat", members: everybody });
  const engineering = team(world, TENANT, "engineering", "Engineering");
  const closed = team(world, TENANT, "closed", "Closed");
  const elsewhere = team(world, OTHER_TENANT, "elsewhere", "Elsewhere");
  channel(world, "eng", engineering, everybody);
  channel(world, "ops", engineering, [alice, bob]);
  channel(world, "out", closed, [alice]).botInRoster = false;
  channel(world, "other", elsewhere, [zoe]);
}

function person(world: World, tenantId: string, key: string, name: string, role: User["role"] = "user"): User {
  const domain = tenantId === TENANT ? "acme.test" : "other.test";
  const aadObjectId = `aad00000-0000-4000-8000-00000000000${world.users.length + 1}`;
  const user = { id: `29:1-${key}`, key, aadObjectId, tenantId, name, email: `${key}@${domain}`, role };
  world.users.push(user);
  return user;
}

function team(world: World, tenantId: string, key: string, name: string): Team {
  const aadGroupId = `6a0b0000-0000-4000-8000-00000000000${world.teams.length + 1}`;
  const made = { id: `19:0000${key}@thread.tacv2`, aadGroupId, name, tenantId };
  world.teams.push(made);
  return made;
}

function channel(world: World, key: string, of: Team, members: User[]): Conversation {
  const folder = { driveId: `b!drive-${of.aadGroupId.slice(-1)}`, itemId: `folder-${key}` };
  return conversation(world, { id: `19:0000${key}@thread.tacv2`, key, kind: "channel", team: of, members, folder });
}

function conversation(
  world: World,
  given: Pick<Conversation, "id" | "key" | "kind" | "members"> & Partial<Conversation>,
): Conversation {
  const tenantId = given.team?.tenantId ?? given.members[0]?.tenantId ?? TENANT;
  const base = { tenantId, name: given.key, team: null, botInRoster: true, blocked: false, folder: null };
  const made: Conversation = { ...base, ...given };
  world.conversations.push(made);
  return made;
}
