import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "../../fixtures/teams/certificate.ts";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { signJwt } from "./jwt.ts";
import { type Answer, request } from "./rest-bot.ts";

let fake: FakeTeams;
beforeEach(async () => {
  fake = await startFakeTeams();
});
afterEach(() => fake.close());

async function ask(of: FakeTeams, tenant: string, change: Record<string, string> = {}): Promise<Answer> {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: of.appId,
    client_secret: of.appPassword,
    scope: "https://api.botframework.com/.default",
    ...change,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return request("POST", `${of.loginUrl}/${tenant}/oauth2/v2.0/token`, Buffer.from(body.toString()), headers);
}

describe("the token endpoint", () => {
  it("gives a bot of one tenant the connector's token there, and Graph's in each tenant that has the app", async () => {
    const graph = { scope: "https://graph.microsoft.com/.default" };
    expect((await ask(fake, fake.tenantId)).status).toBe(200);
    expect((await ask(fake, fake.tenantId, graph)).status).toBe(200);
    expect((await ask(fake, fake.otherTenantId, graph)).status).toBe(200);
    expect(fake.violations).toEqual([]);
    expect((await ask(fake, fake.otherTenantId)).status).toBe(400);
    expect((await ask(fake, "nowhere", graph)).status).toBe(400);
    expect(fake.violations).toHaveLength(2);
  });

  it("gives a bot of many tenants the connector's token in Bot Framework's own", async () => {
    const many = await startFakeTeams({ registeredIn: "multi" });
    expect((await ask(many, "botframework.com")).status).toBe(200);
    expect((await ask(many, many.tenantId)).status).toBe(400);
    await many.close();
  });

  it.each([
    ["a wrong password", { client_secret: "guess" }, "AADSTS7000215"],
    ["another app", { client_id: "somebody" }, "AADSTS700016"],
    ["an assertion that nobody registered", { client_assertion: "a.b.c" }, "AADSTS700027"],
    ["a resource that does not exist", { scope: "https://elsewhere.test/.default" }, "AADSTS500011"],
    ["a person's way to sign in", { grant_type: "password" }, "AADSTS70003"],
  ])("refuses %s", async (_, change, code) => {
    const { status, body } = await ask(fake, fake.tenantId, change);
    expect(status).toBeOneOf([400, 401]);
    expect(body["error_description"]).toContain(code);
    expect(body).not.toHaveProperty("access_token");
  });
});

describe("a certificate in place of the password", () => {
  it("is proved by an assertion for this endpoint, of this app, for now, with its thumbprint", async () => {
    const privateKey = createPrivateKey(TEST_CERTIFICATE_KEY);
    const key = { kid: "certificate", privateKey, publicKey: createPublicKey(privateKey) };
    const certified = await startFakeTeams({ certificate: TEST_CERTIFICATE });
    const at = `${certified.loginUrl}/${certified.tenantId}/oauth2/v2.0/token`;
    const now = Math.floor(Date.now() / 1000);
    const right = { aud: at, iss: certified.appId, sub: certified.appId, exp: now + 300, nbf: now, jti: "1" };
    const x5t = createHash("sha1").update(new X509Certificate(TEST_CERTIFICATE).raw).digest("base64url");
    const by = async (change: Record<string, unknown>, header: Record<string, unknown> = { x5t }) => {
      const client_assertion = signJwt({ ...right, ...change }, key, header);
      const client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      return (await ask(certified, certified.tenantId, { client_assertion, client_assertion_type })).status;
    };
    expect(await by({})).toBe(200);
    expect(await by({ aud: "https://elsewhere.test/oauth2/v2.0/token" })).toBe(401);
    expect(await by({ iss: "somebody" })).toBe(401);
    expect(await by({ exp: now - 1 })).toBe(401);
    expect(await by({}, { x5t: "AAAA" })).toBe(401);
    expect((await ask(certified, certified.tenantId, { client_secret: "" })).status).toBe(401);
    await certified.close();
  });
});

describe("OpenID metadata", () => {
  it("leads to the keys, endorsed for the channels that they sign for", async () => {
    const { body } = await request("GET", fake.openIdMetadataUrl);
    const keys = await request("GET", String(body["jwks_uri"]));
    expect(keys.body["keys"]).toMatchObject([
      { kty: "RSA", alg: "RS256", endorsements: ["msteams"] },
      { kty: "RSA", alg: "RS256", endorsements: ["webchat"] },
    ]);
  });
});
