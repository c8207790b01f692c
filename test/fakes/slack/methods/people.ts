import { z } from "zod";
import { type Call, type Method, method } from "../method.ts";
import { invalid, Refusal } from "../refusal.ts";
import type { User } from "../world.ts";
import { flag } from "../wire.ts";

const authTest = method({ scopes: [], tier: "posting" }, {}, ({ world, installation, settings }) => {
  const team = world.teams.get(installation.teamIds[0] ?? "");
  return {
    url: `${settings.origin}/`,
    team: installation.isEnterprise ? "Grid" : team?.name,
    user: world.users.get(installation.botUserId)?.name,
    team_id: installation.id,
    user_id: installation.botUserId,
    bot_id: installation.botId,
    is_enterprise_install: installation.isEnterprise,
    ...(installation.enterpriseId !== null && { enterprise_id: installation.enterpriseId }),
  };
});

const teamsList = method(
  { scopes: [], tier: 2 },
  { cursor: z.string().optional(), limit: z.coerce.number().max(1_000).optional(), include_icon: flag.optional() },
  ({ world, installation }, { cursor = "0", limit = 100 }) => {
    const until = Number(cursor) + limit;
    const shown = installation.teamIds.slice(Number(cursor), until);
    return {
      teams: shown.map((id) => ({ id, name: world.teams.get(id)?.name })),
      response_metadata: { next_cursor: until < installation.teamIds.length ? String(until) : "" },
    };
  },
);

const usersInfo = method(
  { scopes: ["users:read"], tier: 4 },
  { user: z.string(), include_locale: flag.optional() },
  (call, args) => {
    const user = call.world.users.get(args.user);
    if (!user) throw new Refusal("user_not_found");
    if (!seen(call, user)) throw new Refusal("user_not_visible");
    return { user: userWire(call, user) };
  },
);

const usergroupUsers = method(
  { scopes: ["usergroups:read"], tier: 2 },
  { usergroup: z.string(), include_disabled: flag.optional(), team_id: z.string().optional() },
  (call, args) => {
    const { installation } = call;
    const teamId = args.team_id;
    if (installation.isEnterprise && teamId === undefined)
      throw invalid("missing_argument", ["team_id, for an org token"]);
    const group = call.world.usergroups.get(args.usergroup);
    if (!group || group.teamId !== (teamId ?? installation.id)) throw new Refusal("no_such_subteam");
    return { users: group.users };
  },
);

const teamInfo = method(
  { scopes: ["team:read"], tier: 3 },
  { team: z.string().optional(), domain: z.string().optional() },
  ({ world, installation }, args) => {
    if (installation.isEnterprise && args.team === undefined)
      throw invalid("missing_argument", ["team, for an org token"]);
    const team = world.teams.get(args.team ?? installation.id);
    if (!team || !installation.teamIds.includes(team.id)) throw new Refusal("team_not_found");
    const { id, name, domain, enterpriseId } = team;
    return { team: { id, name, domain, ...(enterpriseId !== null && { enterprise_id: enterpriseId }) } };
  },
);

export const peopleMethods: Record<string, Method> = {
  "auth.test": authTest,
  "auth.teams.list": teamsList,
  "users.info": usersInfo,
  "usergroups.users.list": usergroupUsers,
  "team.info": teamInfo,
};

/** Of the same teams, or met in a channel shared with them. */
function seen({ world, installation }: Call, user: User): boolean {
  if (installation.teamIds.includes(user.teamId)) return true;
  return [...world.channels.values()].some(
    ({ members, teamIds }) => members.includes(user.id) && teamIds.some((team) => installation.teamIds.includes(team)),
  );
}

function userWire({ world, installation }: Call, user: User) {
  const stranger = !installation.teamIds.includes(user.teamId);
  const enterpriseId = world.teams.get(user.teamId)?.enterpriseId ?? null;
  const showsEmail = installation.scopes.has("users:read.email") && !stranger && user.email !== null;
  return {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    real_name: user.realName,
    deleted: user.deleted,
    is_bot: user.kind === "bot",
    is_restricted: user.kind === "guest" || user.kind === "ultra_restricted",
    is_ultra_restricted: user.kind === "ultra_restricted",
    is_app_user: false,
    ...(stranger && { is_stranger: true }),
    tz: "Europe/Berlin",
    tz_offset: 3600,
    profile: {
      real_name: user.realName,
      display_name: user.name,
      team: user.teamId,
      ...(showsEmail && { email: user.email }),
    },
    ...(enterpriseId !== null && {
      enterprise_user: {
        id: user.id,
        enterprise_id: enterpriseId,
        teams: [user.teamId],
        is_admin: false,
        is_owner: false,
      },
    }),
  };
}
