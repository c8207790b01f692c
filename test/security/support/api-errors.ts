import type Anthropic from "@anthropic-ai/sdk";
import type { Canaries } from "./canaries.ts";

interface Target {
  vaultId: string;
  sessionId: string;
  credentialId: string;
}

/** Requests with a canary in them that the API refuses. Returns what it said of each. */
export async function provokeErrors(
  client: Anthropic,
  { vaultId, sessionId, credentialId }: Target,
  canaries: Canaries,
): Promise<string[]> {
  const secret = canaries.plant("what the API refused");
  const credentials = `/v1/vaults/${vaultId}/credentials`;
  const variable = (over: object) => ({
    auth: { type: "environment_variable", secret_name: "X_KEY", networking: { type: "unrestricted" }, ...over },
  });
  const bearer = { type: "static_bearer", mcp_server_url: "https://mcp.test/" };
  const requests: [string, unknown][] = [
    [credentials, variable({ secret_value: `${secret}\nnext` })],
    [credentials, variable({ secret_value: { of: secret } })],
    [credentials, variable({ secret_value: [secret] })],
    [credentials, variable({ secret_value: secret, secret_name: "PATH" })],
    [credentials, variable({ secret_value: secret, secret_name: "API_KEY" })],
    [credentials, variable({ secret_value: secret, networking: { type: "limited", allowed_hosts: ["http://x/"] } })],
    [credentials, { auth: { ...bearer, token: `${secret} with a space` } }],
    [credentials, { auth: { ...bearer, type: "other", token: secret } }],
    [credentials, { auth: { ...bearer, token: secret, mcp_server_url: "ftp://mcp.test" } }],
    [`${credentials}/${credentialId}`, { auth: { type: "static_bearer", token: secret } }],
    [`${credentials}/${credentialId}`, { auth: { type: "environment_variable", secret_value: `${secret}\u0007` } }],
    [`/v1/vaults/vlt_none/credentials`, variable({ secret_value: secret })],
    [
      "/v1/sessions",
      {
        agent: "agent_none",
        environment_id: "env_none",
        resources: [{ type: "github_repository", url: "x", authorization_token: secret }],
      },
    ],
    [`/v1/sessions/${sessionId}/resources/sesrsc_none`, { authorization_token: secret }],
    [`/v1/sessions/${sessionId}/resources/sesrsc_none`, { authorization_token: `${secret} with a space` }],
  ];
  const said: string[] = [];
  for (const [path, body] of requests) said.push(await refusalOf(client, path, JSON.stringify(body)));
  said.push(await refusalOf(client, credentials, `{"auth": {"token": "${secret}`));
  return said;
}

async function refusalOf(client: Anthropic, path: string, body: string): Promise<string> {
  const response = await fetch(`${client.baseURL}${path}`, {
    method: "POST",
    headers: {
      "x-api-key": client.apiKey ?? "",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "managed-agents-2026-04-01",
    },
    body,
  });
  const said = await response.text();
  if (response.ok) throw new Error(`${path} was accepted:\n${said}`);
  return `${response.status} ${said}`;
}
