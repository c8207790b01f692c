import { describe, expect, it } from "vitest";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { homeView, REFRESH_ACTION } from "../../../bots/slack/home-view.ts";
import { DEFAULT_POLICY } from "../../../bots/shared/channel-policy.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import type { HomeData, HomeSession } from "../../../bots/shared/home.ts";

const THREAD: ChatThreadKey = "slack:T01:C01:1763600000.000001";

const session = (over: Partial<HomeSession> = {}): HomeSession => ({
  thread: THREAD,
  title: "Q3 <report> | draft",
  state: "working",
  place: "slack:T01:C01",
  requester: "U01",
  activeAt: Date.UTC(2026, 10, 22),
  link: "https://acme.slack.com/archives/C01/p1",
  sessionId: "sesn_1",
  costCents: 12,
  ...over,
});

const home = (over: Partial<HomeData> = {}): HomeData => ({
  running: [],
  waiting: [],
  done: [],
  files: [],
  defaults: DEFAULT_POLICY,
  agentName: "Deckhand",
  usage: { month: "2026-11", costCents: 345, tokens: 12_000, sessions: 1 },
  incomplete: false,
  ...over,
});

const headers = (data: HomeData) =>
  homeView(data).blocks.flatMap((block) =>
    block.type === "header" && "text" in block && typeof block.text === "object" ? [block.text.text] : [],
  );

describe("the Home tab", () => {
  it("welcomes whoever has given no work yet, and can always be refreshed", () => {
    expect(headers(home())[0]).toBe("Hello!");
    expect(JSON.stringify(homeView(home()).blocks.at(-1))).toContain(REFRESH_ACTION);
  });

  it("shows first what waits for the person, and stops what runs by the button that stops it in the thread", () => {
    const data = home({
      running: [session()],
      waiting: [session({ state: "waiting" })],
      done: [session({ state: "done", costCents: null, link: null })],
    });
    expect(headers(data).slice(0, 3)).toEqual(["Waiting for you", "Running", "Done"]);
    const stops = JSON.stringify(homeView(data)).split(ACTION_IDS.stop).length - 1;
    expect(stops).toBe(1);
    expect(JSON.stringify(homeView(data))).toContain(`"value":"${THREAD}"`);
  });

  it("lets nothing in a title or a file name become markup", () => {
    const thread = session();
    const file = { id: "file_1", filename: "a<b>|c.xlsx", sizeBytes: 2_048, createdAt: 0, thread };
    const drawn = JSON.stringify(homeView(home({ running: [thread], files: [file] })));
    expect(drawn).toContain("Q3 &lt;report&gt; ¦ draft");
    expect(drawn).toContain("a&lt;b&gt;¦c.xlsx");
  });

  it("says when something is missing, and what the person has spent", () => {
    const drawn = JSON.stringify(homeView(home({ incomplete: true })));
    expect(drawn).toContain("could not be read");
    expect(drawn).toContain("1 session (2026-11, UTC)");
  });

  it("names who may give work where not everybody may", () => {
    const defaults = { ...DEFAULT_POLICY, allowUsers: ["U07"], allowGroups: ["S01"], mode: "mention_only" as const };
    const drawn = JSON.stringify(homeView(home({ defaults })));
    expect(drawn).toContain("<@U07>, <!subteam^S01>");
    expect(drawn).toContain("mentions alone");
  });

  it("stays within 100 blocks, however much there is", () => {
    const many = Array.from({ length: 60 }, () => session());
    expect(homeView(home({ running: many, waiting: many, done: many })).blocks).toHaveLength(100);
  });
});
