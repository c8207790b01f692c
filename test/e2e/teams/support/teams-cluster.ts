import { type FakeTeams, type FakeTeamsOptions, startFakeTeams } from "../../../fakes/teams-connector.ts";
import { freePort } from "../../../../src/embedded/free-port.ts";
import { type ChatCluster, startChatCluster } from "../../support/chat-cluster.ts";

const MESSAGES_PATH = "/api/messages";

export interface TeamsCluster extends ChatCluster {
  teams: FakeTeams;
  /** Where activities come in. */
  endpoint: URL;
}

export interface TeamsClusterOptions extends Omit<FakeTeamsOptions, "deliverTo" | "anonymous"> {
  /** More settings for all processes. */
  env?: Record<string, string>;
}

/**
 * Deckhand as an app of our fake's first tenant, with a password. Closing it fails when the app did what nobody does who knows
 * Teams.
 * @throws what keeps a process from starting, with everything undone
 */
export async function startTeamsCluster({ env = {}, ...given }: TeamsClusterOptions = {}): Promise<TeamsCluster> {
  const teams = await startFakeTeams(given);
  const port = await freePort();
  const endpoint = new URL(`http://127.0.0.1:${port}${MESSAGES_PATH}`);
  try {
    const cluster = await startChatCluster({
      MICROSOFT_APP_ID: teams.appId,
      MICROSOFT_APP_PASSWORD: teams.appPassword,
      MICROSOFT_APP_TENANT_ID: teams.tenantId,
      TEAMS_PORT: String(port),
      TEAMS_LOGIN_URL: teams.loginUrl,
      TEAMS_OPENID_METADATA_URL: teams.openIdMetadataUrl,
      TEAMS_GRAPH_URL: teams.graphUrl,
      ...env,
    });
    teams.deliverTo(endpoint);
    return { ...cluster, teams, endpoint, close: () => closeBoth(cluster, teams) };
  } catch (error) {
    await teams.close();
    throw error;
  }
}

async function closeBoth(cluster: ChatCluster, teams: FakeTeams): Promise<void> {
  try {
    await cluster.close();
  } finally {
    await teams.close();
  }
  if (teams.violations.length > 0) throw new Error(`Teams would refuse:\n${teams.violations.join("\n")}`);
}
