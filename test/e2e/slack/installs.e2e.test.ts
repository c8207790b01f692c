import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { INSTALL_PATH, OAUTH_REDIRECT_PATH } from "../../../bots/slack/requirements.ts";
import { says } from "../../fakes/messages-answer.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { seeThread, type SeenThread } from "./support/seen-thread.ts";

let cluster: FakeSlackCluster;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({
    transport: "http",
    tokenLifetimeSeconds: 43_200,
    env: {
      SLACK_BOT_TOKEN: "",
      SLACK_CLIENT_ID: "111.222",
      SLACK_CLIENT_SECRET: "fake-client-secret",
      SLACK_STATE_SECRET: "a state secret for tests",
      SLACK_ALLOWED_TEAMS: "T02BETA,E01GRID",
    },
  });
});
afterAll(() => cluster.close());

/** Somebody opens the page, agrees, and is sent back. */
async function install(id: string, user: string): Promise<void> {
  const { slack, requestUrl } = cluster;
  const page = await fetch(new URL(INSTALL_PATH, requestUrl));
  const link = /href="([^"]*\/oauth\/v2\/authorize[^"]*)"/.exec(await page.text())?.[1]?.replaceAll("&amp;", "&") ?? "";
  const installation = slack.world.installations.find((each) => each.id === id);
  if (!installation) throw new Error(`The fake has no installation ${id}.`);
  const back = new URL(OAUTH_REDIRECT_PATH, requestUrl);
  back.searchParams.set("code", slack.authorize({ installation, redirectUri: undefined, user }));
  back.searchParams.set("state", new URL(link).searchParams.get("state") ?? "");
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await fetch(back, { headers: { cookie } })).status).toBe(200);
}

function asks(words: string, channel: string, user: string, bot: string, install: string): SeenThread {
  cluster.model.play(words, says(`Answer to ${words}.`));
  const { ts } = cluster.slack.say({ channel, user, text: `<@${bot}> ${words}` });
  return seeThread(cluster, channel, ts, install);
}
const grid = (words: string) => asks(words, "C31GRID", "W31DANA", "W0BOTGRID", "E01GRID");
const beta = (words: string) => asks(words, "C21GEN", "U21CARA", "U0BOTBETA", "T02BETA");

it("a workspace and an organisation install the app, each is answered with its own token, and one that leaves is forgotten", async () => {
  await install("T02BETA", "U21CARA");
  await install("E01GRID", "W31DANA");

  await beta("work for beta").says("Answer to work for beta.");
  const first = grid("work for the grid");
  await first.says("Answer to work for the grid.");
  await first.reaches("Done");
  expect(first.key).toMatch(/^slack:E01GRID:C31GRID:/);
  const posts = cluster.slack.callsTo("chat.postMessage");
  expect(new Set(posts.map(({ team, args }) => `${team} ${String(args["channel"])}`))).toEqual(
    new Set(["T02BETA C21GEN", "E01GRID C31GRID"]),
  );
  const session = await cluster.client.beta.sessions.retrieve(await first.session());
  expect(session.metadata).toMatchObject({ chat_team: "E01GRID", chat_user: "W31DANA" });

  await cluster.slack.uninstall("T02BETA").done;
  const outside = new pg.Client({ connectionString: await cluster.database.url() });
  await outside.connect();
  const stored = async () => (await outside.query("SELECT id FROM slack_installations")).rows;
  await expect.poll(stored, { timeout: 20_000 }).toEqual([{ id: "E01GRID" }]);
  await outside.end();
  await grid("the other one goes on").says("Answer to the other one goes on.");
});
