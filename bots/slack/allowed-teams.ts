import { TerminalError } from "../../src/errors.ts";

/**
 * Whose installations count, by the id that an installation goes by: a workspace's team id, or the enterprise id of an
 * organisation that installed the app as a whole. Null when everybody's do, which an operator has to say.
 */
export type AllowedTeams = readonly string[] | null;

/** Pure. */
export function isAllowedTeam(allowed: AllowedTeams, team: string): boolean {
  return allowed === null || allowed.includes(team);
}

/** Pure: for whoever installs the app, and for the log. */
export function refusedTeamText(team: string): string {
  return `This Deckhand is not open to ${team}. Whoever runs it can add this id to SLACK_ALLOWED_TEAMS.`;
}

/** @throws TerminalError when this team's installation doesn't count */
export function assertAllowedTeam(allowed: AllowedTeams, team: string): void {
  if (!isAllowedTeam(allowed, team)) throw new TerminalError(refusedTeamText(team));
}
