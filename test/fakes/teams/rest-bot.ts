import type { FakeTeams } from "../teams-connector.ts";
import type { Audience } from "./login.ts";
import { recordOf } from "./record-of.ts";

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** Of an error. */
  code: unknown;
  headers: Headers;
}

/** A bot that speaks HTTP by itself, so that it can also say what an SDK would not. */
export interface RestBot {
  token(audience: Audience, tenantId?: string): Promise<string>;
  /** @param path under the service URL, such as `v3/conversations/…` */
  connector(method: string, path: string, body?: unknown): Promise<Answer>;
  /** @param path under `/graph/v1.0/` */
  graph(method: string, path: string, body?: unknown): Promise<Answer>;
  post(conversationId: string, activity: unknown, more?: string): Promise<Answer>;
}

const SCOPES = { connector: "https://api.botframework.com/.default", graph: "https://graph.microsoft.com/.default" };

export function restBot(fake: FakeTeams): RestBot {
  const token: RestBot["token"] = async (audience, tenantId = fake.tenantId) => {
    const answer = await fetch(`${fake.loginUrl}/${tenantId}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: fake.appId,
        client_secret: fake.appPassword,
        scope: SCOPES[audience],
      }),
    });
    return String(recordOf(await answer.json())["access_token"]);
  };
  const call = async (audience: Audience, method: string, url: string, body: unknown): Promise<Answer> => {
    const authorization = `Bearer ${await token(audience)}`;
    return request(method, url, body, { authorization });
  };
  const connector: RestBot["connector"] = (method, path, body) =>
    call("connector", method, `${fake.serviceUrl}${path}`, body);
  return {
    token,
    connector,
    graph: (method, path, body) => call("graph", method, `${fake.graphUrl}/${path}`, body),
    post: (id, activity, more = "") =>
      connector("POST", `v3/conversations/${encodeURIComponent(id)}/activities${more}`, activity),
  };
}

export async function request(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body);
  const init = { method, headers, redirect: "manual", ...(body !== undefined && { body: sent }) } as const;
  const answer = await fetch(url, init);
  const text = await answer.text();
  const parsed = recordOf(text.startsWith("{") ? JSON.parse(text) : { text });
  return { status: answer.status, body: parsed, code: recordOf(parsed["error"])["code"], headers: answer.headers };
}
