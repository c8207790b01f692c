import type { RefreshSettings } from "../schemas/credential.ts";
import type { Secret } from "../secrets/secret.ts";
import type { OutboundRequest } from "./checked-fetch.ts";
import { formEncoded } from "./form-encoded.ts";

/** What it takes to get a new access token. */
export interface RefreshGrant {
  settings: RefreshSettings;
  refreshToken: Secret;
  clientSecret: Secret | null;
}

/**
 * Pure: the request of RFC 6749 §6 to a token endpoint. It has secrets in it.
 * @throws Error when the endpoint wants a client secret and there is none
 */
export function tokenRequest({ settings, refreshToken, clientSecret }: RefreshGrant): OutboundRequest {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken.reveal() });
  if (settings.scope) form.set("scope", settings.scope);
  if (settings.resource) form.set("resource", settings.resource);
  const headers: Record<string, string> = {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded",
  };
  const auth = settings.token_endpoint_auth.type;
  if (auth === "client_secret_basic") headers["authorization"] = basic(settings.client_id, needed(clientSecret));
  else form.set("client_id", settings.client_id);
  if (auth === "client_secret_post") form.set("client_secret", needed(clientSecret));
  return { method: "POST", url: settings.token_endpoint, headers, body: form.toString() };
}

function needed(clientSecret: Secret | null): string {
  if (!clientSecret) throw new Error("The token endpoint wants a client secret, and the credential has none.");
  return clientSecret.reveal();
}

/** RFC 6749 §2.3.1: both are form-encoded before they become a user's name and password. */
function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString("base64")}`;
}
