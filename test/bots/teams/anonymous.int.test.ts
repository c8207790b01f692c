import { request } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTeamsEndpoint } from "../../../bots/teams/endpoint.ts";
import { type FakeTeams, startFakeTeams } from "../../fakes/teams-connector.ts";
import { SILENT } from "../../support/silent-log.ts";
import { startTeamsRig, type TeamsEndpointRig } from "../../support/teams-endpoint-rig.ts";

let fake: FakeTeams;
let rig: TeamsEndpointRig;

beforeAll(async () => {
  fake = await startFakeTeams({ anonymous: true, redeliveryDelaysMs: [] });
  rig = await startTeamsRig(fake, { anonymous: true });
});
afterAll(async () => {
  await rig?.stop();
  await fake?.close();
});

describe("the endpoint without authentication", () => {
  it("takes messages of this machine, also of a client that names no tenant", async () => {
    const change = (activity: Record<string, unknown>) => ({
      ...activity,
      conversation: { id: "local-1" },
      channelData: undefined,
    });
    expect(await fake.say({ user: "alice", text: "hello", change }).done).toMatchObject({ status: 200 });
    expect(await rig.kept()).toMatchObject([{ thread: "teams:00000000-0000-0000-0000-000000000000:local-1" }]);
  });

  it("takes somebody whom the client does not tell of for who they say they are", async () => {
    await fake.say({ user: "alice", text: "hello" }).done;
    const found = await rig.conversations.find(`teams:${fake.tenantId}:a:personal-alice`);
    if (!found) throw new Error("The conversation was not kept.");
    void fake.fail("*", { type: "http", status: 404 }, { times: 2 });
    const id = "aad00000-0000-4000-8000-000000000001";
    expect(await rig.connector.member(found.ref, id, new AbortController().signal)).toMatchObject({
      id,
      name: "Alice Acme",
    });
  });

  it("takes nobody for somebody of another organisation, nor an empty answer for a failure", async () => {
    await fake.say({ user: "alice", text: "hello" }).done;
    const found = await rig.conversations.find(`teams:${fake.tenantId}:a:personal-alice`);
    if (!found) throw new Error("The conversation was not kept.");
    const member = () => rig.connector.member(found.ref, "29:1-alice", new AbortController().signal);
    expect(await member()).toMatchObject({ name: "Alice Acme", tenantId: null });
    void fake.fail("member", { type: "http", status: 200 });
    expect(await member()).toMatchObject({ id: "29:1-alice", name: "Alice Acme", tenantId: null });
  });

  it("answers to no other machine", async () => {
    const change = (activity: Record<string, unknown>) => ({ ...activity, serviceUrl: "https://elsewhere.example/" });
    expect(await fake.say({ user: "alice", text: "hello", change }).done).toMatchObject({ status: 403 });
  });

  it.each([
    ["of a page in a browser", { origin: "https://page.example" }],
    ["by a name that somebody made point here", { host: "rebound.example" }],
  ])("does not listen to a request %s", async (_, headers) => {
    const sent = request(rig.url, { method: "POST", headers: { "content-type": "application/json", ...headers } });
    sent.end("{}");
    const [answer] = await once(sent, "response");
    answer.resume();
    expect(answer.statusCode).toBe(403);
  });

  it("never opens an address that others reach", async () => {
    const { connector, conversations, cipher } = rig;
    const core = { accept: () => expect.fail("Nothing is taken in.") };
    const options = { connector, conversations, cipher, allowedTenants: null, log: SILENT, port: 0 };
    await expect(
      startTeamsEndpoint({ ...options, anonymous: true, host: "0.0.0.0", core: { ...NO_CORE, ...core } }),
    ).rejects.toThrow("for this machine only");
  });
});

const never = () => expect.fail("Nothing is asked.");
const NO_CORE = {
  knows: never,
  othersWhoDecide: never,
  answerPostedAs: never,
  pressId: never,
  rate: never,
  keepConsent: never,
  names: never,
  runSlash: never,
  runPicked: never,
};
