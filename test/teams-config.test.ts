import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";

const teams = (env: Record<string, string>) => loadConfig("/srv", env).teams;
const APP = { MICROSOFT_APP_ID: "app", MICROSOFT_APP_PASSWORD: "hunter2hunter2", MICROSOFT_APP_TENANT_ID: "Tenant-1" };

describe("the configuration of Teams", () => {
  it("is off without credentials, so that no endpoint listens unauthenticated", () => {
    expect(teams({})).toBeNull();
    expect(teams({ TEAMS_HOST: "0.0.0.0", TEAMS_PORT: "80", MICROSOFT_APP_TENANT_ID: "t" })).toBeNull();
  });

  it("is of an app of one tenant, for which it is, unless more is said", () => {
    expect(teams(APP)).toMatchObject({
      app: { id: "app", tenantId: "Tenant-1", credential: { type: "password" } },
      channelService: "",
      allowedTenants: ["tenant-1"],
      host: "127.0.0.1",
      port: 3978,
      graph: false,
    });
  });

  it.each([
    ["T-1, t-2", ["t-1", "t-2"]],
    ["*", null],
  ])("lets in the tenants that are named: %s", (TEAMS_ALLOWED_TENANTS, allowed) => {
    expect(teams({ ...APP, TEAMS_ALLOWED_TENANTS })?.allowedTenants).toEqual(allowed);
  });

  it("lets every tenant into an app of many only when told so", () => {
    const app = { ...APP, MICROSOFT_APP_TYPE: "MultiTenant" };
    for (const unsaid of [{}, { TEAMS_ALLOWED_TENANTS: "" }, { TEAMS_ALLOWED_TENANTS: " , " }]) {
      expect(() => teams({ ...app, ...unsaid })).toThrow("TEAMS_ALLOWED_TENANTS: ");
    }
    const tenantsOf = (TEAMS_ALLOWED_TENANTS: string) => teams({ ...app, TEAMS_ALLOWED_TENANTS })?.allowedTenants;
    expect(tenantsOf("T-1")).toEqual(["t-1"]);
    expect(tenantsOf("*")).toBeNull();
    expect(teams({ ...app, TEAMS_ALLOWED_TENANTS: "*" })?.app?.tenantId).toBeNull();
  });

  it("takes a certificate, and a managed identity, in place of a password", () => {
    const { MICROSOFT_APP_PASSWORD: _, ...rest } = APP;
    expect(teams({ ...rest, MICROSOFT_APP_CERTIFICATE: "/app.pem" })?.app?.credential).toEqual({
      type: "certificate",
      file: "/app.pem",
    });
    expect(teams({ ...rest, MICROSOFT_APP_TYPE: "UserAssignedMSI" })?.app?.credential).toEqual({
      type: "managed_identity",
    });
  });

  it("is for this machine alone in the anonymous mode", () => {
    expect(teams({ TEAMS_ALLOW_ANONYMOUS: "1" })).toMatchObject({ app: null, host: "127.0.0.1", allowedTenants: null });
    for (const TEAMS_HOST of ["0.0.0.0", "::", "192.168.1.2", "example.com", "127.0.0.1.example.com"]) {
      expect(() => teams({ TEAMS_ALLOW_ANONYMOUS: "1", TEAMS_HOST })).toThrow("TEAMS_HOST: ");
    }
  });

  it.each([
    ["a password of no app", { MICROSOFT_APP_PASSWORD: "p" }, "MICROSOFT_APP_ID: "],
    ["an app with nothing to prove it by", { ...APP, MICROSOFT_APP_PASSWORD: "" }, "MICROSOFT_APP_PASSWORD: "],
    ["an app of one tenant that is not named", { ...APP, MICROSOFT_APP_TENANT_ID: "" }, "MICROSOFT_APP_TENANT_ID: "],
    [
      "an identity of no tenant",
      { MICROSOFT_APP_ID: "app", MICROSOFT_APP_TYPE: "UserAssignedMSI" },
      "MICROSOFT_APP_TENANT_ID: ",
    ],
    ["two credentials", { ...APP, MICROSOFT_APP_CERTIFICATE: "/app.pem" }, "MICROSOFT_APP_CERTIFICATE: "],
    ["an identity with a password", { ...APP, MICROSOFT_APP_TYPE: "UserAssignedMSI" }, "MICROSOFT_APP_TYPE: "],
    ["an app that anybody may pose as", { ...APP, TEAMS_ALLOW_ANONYMOUS: "1" }, "TEAMS_ALLOW_ANONYMOUS: "],
    ["an unknown cloud", { ...APP, CHANNEL_SERVICE: "https://elsewhere.example" }, "CHANNEL_SERVICE: "],
    ["tokens sent unencrypted", { ...APP, TEAMS_LOGIN_URL: "http://login.example" }, "TEAMS_LOGIN_URL: "],
    ["keys had unencrypted", { ...APP, TEAMS_OPENID_METADATA_URL: "http://x.example" }, "TEAMS_OPENID_METADATA_URL: "],
  ])("names what is wrong: %s", (_, env, line) => {
    expect(() => teams(env)).toThrow(line);
  });

  it("never shows the password", () => {
    const config = teams(APP);
    expect(inspect(config) + JSON.stringify(config)).not.toContain("hunter2");
  });
});
