import { expect, it } from "vitest";
import { startEmulatedSlack } from "./emulate-slack.ts";
import { slackClient } from "./slack-client.ts";

it("installs the app: from the page to agree on, over the code, to a token that works", async () => {
  const redirectUri = "http://127.0.0.1:1/slack/oauth_redirect";
  const slack = await startEmulatedSlack({ redirectUri, scopes: ["chat:write", "users:read"] });
  const query = { client_id: slack.clientId, scope: "chat:write", state: "s1", redirect_uri: redirectUri };
  const page = `${slack.url}/oauth/v2/authorize?${new URLSearchParams(query).toString()}`;
  const returned = await slack.approve(page, "alice");
  expect(returned.searchParams.get("state")).toBe("s1");

  const world = { apiUrl: `${slack.url}/api/` };
  const code = returned.searchParams.get("code") ?? "";
  const credentials = { client_id: slack.clientId, client_secret: slack.clientSecret };
  const client = slackClient(world, "");
  const installed = await client.oauth.v2.access({ ...credentials, code, redirect_uri: redirectUri });
  const tested = await slackClient(world, installed.access_token).auth.test();
  expect(tested).toMatchObject({ ok: true, team_id: installed.team?.id });
  await slack.close();
});
