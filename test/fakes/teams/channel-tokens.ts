import type { Clock } from "../slack/clock.ts";
import { confusedJwt, signingKey, jwkOf, signJwt, type SigningKey, unsignedJwt } from "./jwt.ts";
import type { Operation } from "./operation.ts";

/** What is wrong with the token beside an activity on its way to the bot. */
export type TokenDefect =
  | "expired"
  | "not_yet_valid"
  | "wrong_audience"
  | "wrong_issuer"
  | "wrong_service_url"
  | "no_service_url"
  | "unknown_key"
  | "wrong_signature"
  | "not_endorsed"
  | "alg_none"
  | "alg_confused"
  | "junk"
  | "no_token";

export const TOKEN_DEFECTS: readonly TokenDefect[] = [
  "expired",
  "not_yet_valid",
  "wrong_audience",
  "wrong_issuer",
  "wrong_service_url",
  "no_service_url",
  "unknown_key",
  "wrong_signature",
  "not_endorsed",
  "alg_none",
  "alg_confused",
  "junk",
  "no_token",
];

const ISSUER = "https://api.botframework.com";
const LIFETIME_SECONDS = 3_600;
/** More than the tolerance that validators allow for clocks. */
const FAR_SECONDS = 3_600;

/** The tokens that prove to the bot that an activity is Teams', and the documents to check them with. */
export interface ChannelTokens {
  /** The `Authorization` header; null for none. */
  authorization(serviceUrl: string, defect?: TokenDefect): string | null;
  operations: readonly Operation[];
}

export function createChannelTokens(clock: Clock, appId: string, origin: () => string): ChannelTokens {
  const key = signingKey("channel-key");
  /** Published, but endorsed for another channel. */
  const otherChannelsKey = signingKey("other-channel-key");
  const stranger = signingKey("unpublished-key");

  const claimsOf = (serviceUrl: string, defect: TokenDefect | undefined) => {
    const now = Math.floor(clock.now() / 1000);
    const start = defect === "expired" ? now - LIFETIME_SECONDS - FAR_SECONDS : now;
    const serviceurl = defect === "wrong_service_url" ? "https://elsewhere.test/amer/" : serviceUrl;
    return {
      iss: defect === "wrong_issuer" ? "https://sts.elsewhere.test/" : ISSUER,
      aud: defect === "wrong_audience" ? "0ther000-0000-4000-8000-000000000000" : appId,
      iat: start,
      nbf: defect === "not_yet_valid" ? now + FAR_SECONDS : start,
      exp: start + LIFETIME_SECONDS + (defect === "not_yet_valid" ? FAR_SECONDS : 0),
      ...(defect !== "no_service_url" && { serviceurl }),
    };
  };
  const tokenOf = (serviceUrl: string, defect: TokenDefect | undefined): string => {
    const claims = claimsOf(serviceUrl, defect);
    if (defect === "alg_none") return unsignedJwt(claims);
    if (defect === "alg_confused") return confusedJwt(claims, key);
    if (defect === "junk") return "junk";
    return signJwt(claims, signerOf(defect));
  };
  const signerOf = (defect: TokenDefect | undefined): SigningKey => {
    if (defect === "unknown_key") return stranger;
    if (defect === "wrong_signature") return { ...stranger, kid: key.kid };
    return defect === "not_endorsed" ? otherChannelsKey : key;
  };

  return {
    authorization: (serviceUrl, defect) => (defect === "no_token" ? null : `Bearer ${tokenOf(serviceUrl, defect)}`),
    operations: [
      {
        name: "openid",
        method: "GET",
        path: /^\/v1\/\.well-known\/openidconfiguration$/,
        run: () => ({
          status: 200,
          body: {
            issuer: ISSUER,
            authorization_endpoint: "https://invalid.botframework.com",
            jwks_uri: `${origin()}/v1/.well-known/keys`,
            id_token_signing_alg_values_supported: ["RS256"],
            token_endpoint_auth_methods_supported: ["private_key_jwt"],
          },
        }),
      },
      {
        name: "keys",
        method: "GET",
        path: /^\/v1\/\.well-known\/keys$/,
        run: () => ({
          status: 200,
          body: {
            keys: [
              { ...jwkOf(key), endorsements: ["msteams"] },
              { ...jwkOf(otherChannelsKey), endorsements: ["webchat"] },
            ],
          },
        }),
      },
    ],
  };
}
