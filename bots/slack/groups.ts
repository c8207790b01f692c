import { z } from "zod";
import { refusedWith } from "./errors.ts";
import type { SlackApi } from "./web-api.ts";

/** Who is in user groups, asked of Slack once in a while. */
export interface SlackGroups {
  /** Nobody, for a group that Slack does not know. Rejects as `SlackApi.call` does. */
  members(team: string, group: string, signal: AbortSignal): Promise<ReadonlySet<string>>;
}

const MEMBERS_KNOWN_FOR_MS = 60_000;
const TEAMS_KNOWN_FOR_MS = 600_000;
const TEAMS_PER_PAGE = 200;
const TEAM_PAGES_MAX = 20;

const Members = z.looseObject({ users: z.array(z.string()) });
const Teams = z.looseObject({
  teams: z.array(z.looseObject({ id: z.string() })),
  response_metadata: z.looseObject({ next_cursor: z.string().nullish() }).nullish(),
});
const NO_GROUP: ReadonlySet<string> = new Set(["no_such_subteam", "subteam_not_found", "no_such_usergroup"]);

export function createSlackGroups(api: SlackApi, now: () => number): SlackGroups {
  const groups = new Map<string, { members: ReadonlySet<string>; until: number }>();
  const organisations = new Map<string, { teams: readonly string[]; until: number }>();

  const teamsOf = async (enterprise: string, signal: AbortSignal): Promise<readonly string[]> => {
    const found = organisations.get(enterprise);
    if (found && found.until > now()) return found.teams;
    const teams = await listTeams(api, enterprise, signal);
    organisations.set(enterprise, { teams, until: now() + TEAMS_KNOWN_FOR_MS });
    return teams;
  };

  /** Slack takes the token of an organisation only with the workspace that the group is in, and does not say which that is. */
  const ask = async (team: string, group: string, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const within = isOrganisation(team) ? await teamsOf(team, signal) : [undefined];
    for (const teamId of within) {
      const members = await membersWithin(api, team, { usergroup: group, ...(teamId && { team_id: teamId }) }, signal);
      if (members) return members;
    }
    return new Set();
  };

  return {
    async members(team, group, signal) {
      const key = `${team}:${group}`;
      const found = groups.get(key);
      if (found && found.until > now()) return found.members;
      const members = await ask(team, group, signal);
      groups.set(key, { members, until: now() + MEMBERS_KNOWN_FOR_MS });
      return members;
    },
  };
}

/** Null when the group is not there. */
async function membersWithin(
  api: SlackApi,
  team: string,
  args: { usergroup: string; team_id?: string },
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const call = { team, method: "usergroups.users.list" };
  try {
    const { users } = await api.call(call, (client) => client.usergroups.users.list(args), Members, signal);
    return new Set(users);
  } catch (error) {
    if (refusedWith(error, NO_GROUP)) return null;
    throw error;
  }
}

/** The workspaces of an organisation that have the app. */
async function listTeams(api: SlackApi, enterprise: string, signal: AbortSignal): Promise<string[]> {
  const teams: string[] = [];
  let cursor = "";
  for (let page = 0; page < TEAM_PAGES_MAX; page++) {
    const args = { limit: TEAMS_PER_PAGE, ...(cursor !== "" && { cursor }) };
    const call = { team: enterprise, method: "auth.teams.list" };
    const answer = await api.call(call, (client) => client.auth.teams.list(args), Teams, signal);
    teams.push(...answer.teams.map(({ id }) => id));
    cursor = answer.response_metadata?.next_cursor ?? "";
    if (cursor === "") break;
  }
  return teams;
}

/** Ids of enterprises begin with E, of teams with T. */
function isOrganisation(team: string): boolean {
  return team.startsWith("E");
}
