import type { Channel, Installation, User, World } from "./world.ts";

/**
 * Two teams with the app, one without, and an enterprise that has it org-wide.
 *
 * T01ACME (token xoxb-acme, bot U0BOT): U01ALICE, U02BOB, U03GUEST, U04ULTRA; C01ENG (all of them and the bot),
 *   C02OPS (private: Alice and the bot), C03OUT (the bot is not in), C04OLD (archived), D01ALICE, D02BOB (with the bot),
 *   C05SHARED (Slack Connect: Alice, the bot, and U91STRANGER of T09OTHER); group S01ADMINS: Alice
 * T02BETA (token xoxb-beta, bot U0BOTBETA): U21CARA; C21GEN
 * E01GRID with T31 and T32 (org token xoxb-grid, bot W0BOTGRID): W31DANA; C31GRID in both
 */
export function fillWorld(world: World, scopes: readonly string[]): void {
  team(world, "T01ACME", "Acme", null);
  team(world, "T02BETA", "Beta", null);
  team(world, "T09OTHER", "Other", null);
  team(world, "T31", "Grid One", "E01GRID");
  team(world, "T32", "Grid Two", "E01GRID");

  person(world, "U01ALICE", "T01ACME", "Alice");
  person(world, "U02BOB", "T01ACME", "Bob");
  person(world, "U03GUEST", "T01ACME", "Gustav", "guest");
  person(world, "U04ULTRA", "T01ACME", "Ulla", "ultra_restricted");
  person(world, "U21CARA", "T02BETA", "Cara");
  person(world, "W31DANA", "T31", "Dana");
  person(world, "U91STRANGER", "T09OTHER", "Sam");

  install(world, scopes, { id: "T01ACME", token: "xoxb-acme", botUserId: "U0BOT", botId: "B0BOT" });
  install(world, scopes, { id: "T02BETA", token: "xoxb-beta", botUserId: "U0BOTBETA", botId: "B0BETA" });
  install(world, scopes, {
    id: "E01GRID",
    token: "xoxb-grid",
    botUserId: "W0BOTGRID",
    botId: "B0GRID",
    teamIds: ["T31", "T32"],
  });

  const all = ["U01ALICE", "U02BOB", "U03GUEST", "U04ULTRA", "U0BOT"];
  channel(world, { id: "C01ENG", name: "eng", members: all });
  channel(world, { id: "C02OPS", name: "ops", kind: "private", members: ["U01ALICE", "U0BOT"] });
  channel(world, { id: "C03OUT", name: "out", members: ["U01ALICE"] });
  channel(world, { id: "C04OLD", name: "old", archived: true, members: ["U01ALICE", "U0BOT"] });
  const shared = { teamIds: ["T01ACME", "T09OTHER"], extShared: true };
  channel(world, { id: "C05SHARED", name: "shared", members: ["U01ALICE", "U91STRANGER", "U0BOT"], ...shared });
  channel(world, { id: "D01ALICE", name: "", kind: "im", members: ["U01ALICE", "U0BOT"] });
  channel(world, { id: "D02BOB", name: "", kind: "im", members: ["U02BOB", "U0BOT"] });
  channel(world, { id: "C21GEN", name: "general", teamIds: ["T02BETA"], members: ["U21CARA", "U0BOTBETA"] });
  channel(world, { id: "C31GRID", name: "grid", teamIds: ["T31", "T32"], members: ["W31DANA", "W0BOTGRID"] });
  world.usergroups.set("S32LEADS", { teamId: "T32", users: ["W31DANA"] });
  world.usergroups.set("S01ADMINS", { teamId: "T01ACME", users: ["U01ALICE"] });
}

function team(world: World, id: string, name: string, enterpriseId: string | null): void {
  world.teams.set(id, { id, name, domain: name.toLowerCase().replaceAll(" ", "-"), enterpriseId });
}

function person(world: World, id: string, teamId: string, realName: string, kind: User["kind"] = "member"): void {
  const name = realName.toLowerCase();
  const domain = world.teams.get(teamId)?.domain;
  world.users.set(id, { id, teamId, name, realName, email: `${name}@${domain}.test`, kind, deleted: false });
}

function channel(world: World, given: Partial<Channel> & Pick<Channel, "id" | "name" | "members">): void {
  const base = { kind: "public" as const, teamIds: ["T01ACME"], archived: false, extShared: false };
  world.channels.set(given.id, { ...base, ...given });
}

function install(
  world: World,
  scopes: readonly string[],
  { token, ...given }: Pick<Installation, "id" | "botUserId" | "botId"> & { token: string; teamIds?: string[] },
): void {
  const enterpriseId = given.id.startsWith("E") ? given.id : null;
  const teamIds = given.teamIds ?? [given.id];
  const made = { isEnterprise: enterpriseId !== null, removed: false, scopes: new Set(scopes), enterpriseId };
  const installation = { ...given, ...made, teamIds };
  world.installations.push(installation);
  world.tokens.set(token, { value: token, installation, expiresAt: null, revoked: false });
  const bot = { name: "ops-agent", realName: "Ops Agent", email: null, kind: "bot" as const, deleted: false };
  world.users.set(given.botUserId, { id: given.botUserId, teamId: teamIds[0] ?? given.id, ...bot });
}
