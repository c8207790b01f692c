import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createSlackPeople } from "../../../bots/slack/people.ts";
import { createSlackSource } from "../../../bots/slack/source.ts";
import { createSlackApi, type SlackApi } from "../../../bots/slack/web-api.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { startFakeSlack, type FakeSlack } from "../../fakes/slack-web-api.ts";
import { SILENT } from "../../support/silent-log.ts";
import { apiAt, surfaceAt, TEAM, UNPACED, workspaceAt } from "./surface-rig.ts";

const TOKEN = "xoxb-acme";
const { signal } = new AbortController();

let slack: FakeSlack;
beforeAll(async () => {
  slack = await startFakeSlack();
});
afterAll(() => slack.close());
beforeEach(() => {
  slack.violations.length = 0;
  slack.calls.length = 0;
});

function open({ fileBytesMax = 1_000, now = Date.now }: { fileBytesMax?: number; now?: () => number } = {}) {
  const api = apiAt(slack.apiUrl, TOKEN);
  return createSlackSource({ api, people: createSlackPeople(api, now), fileBytesMax, now });
}
const threadOf = (threadTs: string, channel = "C01ENG") =>
  chatThreadKey({ surface: "slack", team: TEAM, channel, threadTs });

describe("earlier messages", () => {
  it("are those before, oldest first, with names for ids, their files, and our own told apart", async () => {
    const file = { name: "numbers.csv", bytes: Buffer.from("1,2"), mimetype: "text/csv" };
    const root = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "The disk is &lt;full&gt;", files: [file] }).ts;
    slack.say({ channel: "C01ENG", user: "U02BOB", text: "ask <@U01ALICE>", threadTs: root });
    const thread = threadOf(root);
    const own = { type: "text", markdown: "I **look**", answerId: null } as const;
    await surfaceAt(apiAt(slack.apiUrl, TOKEN)).post(thread, own, "dh_1", signal);
    const mention = slack.say({ channel: "C01ENG", user: "U02BOB", text: "<@U0BOT> help", threadTs: root }).ts;
    slack.say({ channel: "C01ENG", user: "U02BOB", text: "too late", threadTs: root });

    const earlier = await open().earlier(thread, mention, 50, signal);
    expect(earlier.map(({ author, byAgent, text }) => [author, byAgent, text])).toEqual([
      ["alice", false, "The disk is <full>"],
      ["bob", false, "ask @alice"],
      [expect.any(String), true, "I *look*"],
    ]);
    expect(earlier[0]).toMatchObject({
      messageId: root,
      sentAt: Math.round(Number(root) * 1000),
      attachments: [{ filename: "numbers.csv", ref: expect.any(String), sizeBytes: 3 }],
    });
    expect(await open().earlier(thread, mention, 2, signal)).toEqual(earlier.slice(1));
    expect(await open().earlier(thread, root, 50, signal)).toEqual([]);
    const toTheEnd = await open().earlier(thread, "view:V1", 1, signal);
    expect(toTheEnd).toMatchObject([{ text: "too late" }]);
    expect(slack.violations).toEqual([]);
  });

  it("name whom they mention, but do not ask Slack for however many ids are in them", async () => {
    const root = slack.say({ channel: "C02OPS", user: "U02BOB", text: "root" }).ts;
    const ids = Array.from({ length: 400 }, (_, index) => `<@U0NOBODY${index}>`).join("");
    slack.say({ channel: "C02OPS", user: "U01ALICE", text: ids, threadTs: root });
    const last = slack.say({ channel: "C02OPS", user: "U01ALICE", text: "now", threadTs: root }).ts;
    const earlier = await open().earlier(threadOf(root, "C02OPS"), last, 50, signal);
    expect(earlier.map(({ author }) => author)).toEqual(["bob", "alice"]);
    expect(slack.callsTo("users.info").length).toBeLessThanOrEqual(150);
  });

  it("are read page by page", async () => {
    const root = slack.say({ channel: "C02OPS", user: "U01ALICE", text: "root" }).ts;
    for (let count = 0; count < 450; count++)
      slack.say({ channel: "C02OPS", user: "U01ALICE", text: `reply ${count}`, threadTs: root });
    const last = slack.say({ channel: "C02OPS", user: "U01ALICE", text: "now", threadTs: root }).ts;
    const earlier = await open().earlier(threadOf(root, "C02OPS"), last, 3, signal);
    expect(earlier.map(({ text }) => text)).toEqual(["reply 447", "reply 448", "reply 449"]);
    expect(slack.callsTo("conversations.replies").length).toBeGreaterThan(2);
  });
});

describe("a person", () => {
  const thread = threadOf("1.5");

  it.each([
    ["U01ALICE", "member"],
    ["U03GUEST", "guest"],
    ["U04ULTRA", "guest"],
    ["U91STRANGER", "outsider"],
    ["U21CARA", "outsider"],
  ])("%s is a %s", async (id, kind) => {
    expect(await open().person(thread, id, signal)).toMatchObject({ id, kind });
  });

  it("of another team of the same organisation is no outsider", async () => {
    const workspaces = workspaceAt(slack.apiUrl, "xoxb-grid", "E01GRID");
    const api = createSlackApi({ workspaces, pace: UNPACED, log: SILENT });
    const source = createSlackSource({ api, people: createSlackPeople(api, Date.now), fileBytesMax: 1 });
    const grid = chatThreadKey({ surface: "slack", team: "E01GRID", channel: "C31GRID", threadTs: "1.5" });
    expect(await source.person(grid, "W31DANA", signal)).toMatchObject({ kind: "member" });
    expect(await source.person("slack:E01GRID:C31GRID", "W31DANA", signal)).toMatchObject({ kind: "member" });
  });

  it("has a name and an address", async () => {
    const email = slack.world.users.get("U01ALICE")?.email;
    expect(await open().person(thread, "U01ALICE", signal)).toEqual({
      id: "U01ALICE",
      name: "alice",
      email,
      kind: "member",
    });
  });

  it("whom Slack does not know is nobody", async () => {
    await expect(open().person(thread, "U0NOBODY", signal)).rejects.toBeInstanceOf(TerminalError);
  });

  it("is asked for once in a while, so that a new guest is seen", async () => {
    let now = 0;
    const source = open({ now: () => now });
    await source.person(thread, "U02BOB", signal);
    await source.person(thread, "U02BOB", signal);
    expect(slack.callsTo("users.info")).toHaveLength(1);
    now = 600_000;
    await source.person(thread, "U02BOB", signal);
    expect(slack.callsTo("users.info")).toHaveLength(2);
  });

  it("is asked for once by however many want to know at once, and one who gives up takes nobody's answer away", async () => {
    const source = open();
    const giving = new AbortController();
    const first = source.person(thread, "U02BOB", giving.signal);
    const others = Promise.all([1, 2, 3].map(() => source.person(thread, "U02BOB", signal)));
    giving.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect((await others).map(({ id }) => id)).toEqual(["U02BOB", "U02BOB", "U02BOB"]);
    expect(slack.callsTo("users.info")).toHaveLength(1);
  });

  it("is asked for again after a failure", async () => {
    const source = open();
    void slack.fail("users.info", { type: "reset", when: "before" });
    await expect(source.person(thread, "U02BOB", signal)).rejects.toBeInstanceOf(RetryableError);
    expect(await source.person(thread, "U02BOB", signal)).toMatchObject({ id: "U02BOB" });
  });
});

describe("a group", () => {
  it("has its members and no others; an unknown one has none", async () => {
    const source = open();
    const inGroup = (group: string, id: string) => source.inGroup(`slack:${TEAM}:C01ENG`, group, id, signal);
    expect(await inGroup("S01ADMINS", "U01ALICE")).toBe(true);
    expect(await inGroup("S01ADMINS", "U02BOB")).toBe(false);
    expect(await inGroup("S0UNKNOWN", "U01ALICE")).toBe(false);
    expect(slack.callsTo("usergroups.users.list")).toHaveLength(2);
  });

  it("is no person, and Slack is not asked", async () => {
    expect(await open().inGroup(`slack:${TEAM}:C01ENG`, "U02BOB", "U01ALICE", signal)).toBe(false);
    expect(slack.callsTo("usergroups.users.list")).toEqual([]);
  });
});

describe("a group of an organisation", () => {
  it("is found in the workspace that it is in, which Slack has to be told", async () => {
    const workspaces = workspaceAt(slack.apiUrl, "xoxb-grid", "E01GRID");
    const api = createSlackApi({ workspaces, pace: UNPACED, log: SILENT });
    const source = createSlackSource({ api, people: createSlackPeople(api, Date.now), fileBytesMax: 1 });
    const inGroup = (group: string, id: string) => source.inGroup("slack:E01GRID:C31GRID", group, id, signal);
    expect(await inGroup("S32LEADS", "W31DANA")).toBe(true);
    expect(await inGroup("S32LEADS", "W31ELSE")).toBe(false);
    expect(await inGroup("S0UNKNOWN", "W31DANA")).toBe(false);
    expect(slack.callsTo("auth.teams.list")).toHaveLength(1);
    expect(slack.violations).toEqual([]);
  });
});

describe("a file", () => {
  const bytes = Buffer.from("a,b\n\u0000\xFF", "latin1");

  async function posted(mimetype = "text/csv", channel = "C01ENG") {
    const files = [{ name: "numbers.csv", bytes, mimetype }];
    const ts = slack.say({ channel, user: "U01ALICE", text: "look", files }).ts;
    const id = slack.thread(channel, ts)[0]?.fileIds[0] ?? "";
    return { thread: threadOf(ts, channel), attachment: { filename: "numbers.csv", ref: id, sizeBytes: null } };
  }

  it("comes byte by byte, as often as it is opened", async () => {
    const { thread, attachment } = await posted();
    const source = open();
    for (const _ of [1, 2]) {
      const content = await source.open(thread, attachment, signal);
      expect(Buffer.from(await content.arrayBuffer())).toEqual(bytes);
    }
    expect(slack.violations).toEqual([]);
  });

  it("that is too large is refused in words, before it is loaded", async () => {
    const { thread, attachment } = await posted();
    await expect(open({ fileBytesMax: 3 }).open(thread, attachment, signal)).rejects.toThrow("larger than 3 B");
    expect(slack.callsTo("download")).toEqual([]);
  });

  it("of a web page is no page to sign in", async () => {
    const { thread, attachment } = await posted("text/html");
    expect((await open().open(thread, attachment, signal)).size).toBe(bytes.length);
  });

  it("that may not be read is not taken for the page to sign in that Slack shows instead", async () => {
    const { thread, attachment } = await posted();
    const api = apiAt(slack.apiUrl, TOKEN);
    const unknown = apiAt(slack.apiUrl, "xoxb-unknown");
    const source = createSlackSource({
      api: { ...api, workspace: unknown.workspace },
      people: createSlackPeople(api, Date.now),
      fileBytesMax: 1_000,
    });
    const opened = source.open(thread, attachment, signal);
    await expect(opened).rejects.toBeInstanceOf(TerminalError);
    await expect(opened).rejects.toThrow("may not read files in this workspace");
    expect(slack.callsTo("download")).toHaveLength(1);
  });

  it.each(["https://drive.test/secret", "http://files.slack.com/x", "https://slack.com.evil.test/x", "nonsense"])(
    "at %s is not asked for with our token",
    async (url) => {
      const api = apiAt(slack.apiUrl, TOKEN);
      const info = { file: { url_private_download: url, size: 3, mode: "external" } };
      const elsewhere: SlackApi = { ...api, call: async (_call, _make, answer) => answer.parse(info) };
      const attachment = { filename: "x", ref: "F1", sizeBytes: null };
      const people = createSlackPeople(api, Date.now);
      const opened = createSlackSource({ api: elsewhere, people, fileBytesMax: 10 });
      await expect(opened.open(threadOf("1.5"), attachment, signal)).rejects.toThrow("kept outside of Slack");
    },
  );

  it("that breaks off may be asked for again", async () => {
    const { thread, attachment } = await posted();
    void slack.fail("download", { type: "reset", when: "after" });
    await expect(open().open(thread, attachment, signal)).rejects.toBeInstanceOf(RetryableError);
  });

  it("that is gone says so", async () => {
    const { thread } = await posted();
    const gone = { filename: "x", ref: "F0GONE", sizeBytes: null };
    await expect(open().open(thread, gone, signal)).rejects.toThrow("this file is gone");
  });
});

describe("a link", () => {
  it("opens the thread; there is none to a thread that is gone", async () => {
    const ts = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" }).ts;
    expect(await open().linkTo(threadOf(ts), signal)).toMatch(/^https?:.+C01ENG/);
    expect(await open().linkTo(threadOf("1790000000.000100"), signal)).toBeNull();
  });

  it("is asked for once in a channel, and is what Slack would have said of the next thread", async () => {
    const [one, two] = [1, 2].map(() => slack.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" }).ts);
    const source = open();
    const [, link] = await Promise.all([one, two].map((ts) => source.linkTo(threadOf(ts ?? ""), signal)));
    expect(slack.callsTo("chat.getPermalink")).toHaveLength(1);
    expect(await source.linkTo(threadOf(two ?? ""), signal)).toBe(link);
    expect(slack.callsTo("chat.getPermalink")).toHaveLength(1);
    expect(link).toBe(await open().linkTo(threadOf(two ?? ""), signal));
  });

  it("that does not end as those of other messages would is asked for each time", async () => {
    const root = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" }).ts;
    const reply = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "there", threadTs: root }).ts;
    const source = open();
    expect(await source.linkTo(threadOf(reply), signal)).toContain(`thread_ts=${root}`);
    expect(await source.linkTo(threadOf(root), signal)).not.toContain("thread_ts");
    expect(slack.callsTo("chat.getPermalink")).toHaveLength(2);
  });
});
