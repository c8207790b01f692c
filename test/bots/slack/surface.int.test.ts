import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChatFile, ChatMessage, StatusCard } from "../../../bots/shared/chat-surface.ts";
import { chatThreadKey, type ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import type { Pace, PacedCall } from "../../../bots/slack/pace.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { startFakeSlack, type FakeSlack } from "../../fakes/slack-web-api.ts";
import { apiAt, surfaceAt, TEAM, UNPACED } from "./surface-rig.ts";

const TOKEN = "xoxb-acme";
const { signal } = new AbortController();
const text = (markdown: string, answerId: string | null = null) => ({ type: "text", markdown, answerId }) as const;

const card = (fields: Partial<StatusCard> = {}): ChatMessage => ({
  type: "status",
  card: {
    state: "working",
    steps: [{ label: "I count", state: "running", detail: "bash: wc", toolCount: 1 }],
    startedAt: 0,
    endedAt: null,
    tokens: 0,
    costCents: null,
    note: null,
    draft: null,
    ...fields,
  },
});

function file(filename: string, content: string, more: Partial<ChatFile> = {}): ChatFile {
  const bytes = new TextEncoder().encode(content);
  return {
    id: `file_${filename}`,
    filename,
    mimeType: "application/octet-stream",
    sizeBytes: bytes.byteLength,
    content: async () => new Blob([bytes]).stream(),
    preview: async () => null,
    link: async () => ({ url: `https://deckhand.test/${filename}`, expiresAt: Date.now() + 7 * 86_400_000 }),
    ...more,
  };
}

let slack: FakeSlack;
beforeAll(async () => {
  slack = await startFakeSlack();
});
afterAll(() => slack.close());
beforeEach(() => {
  slack.violations.length = 0;
  slack.calls.length = 0;
});

function begin(channel = "C01ENG"): { thread: ChatThreadKey; root: string } {
  const root = slack.say({ channel, user: "U01ALICE", text: "hello <@U0BOT>" }).ts;
  return { thread: chatThreadKey({ surface: "slack", team: TEAM, channel, threadTs: root }), root };
}
const replies = (channel: string, root: string) =>
  slack.thread(channel, root).filter(({ threadTs }) => threadTs === root);
const open = (options: Parameters<typeof surfaceAt>[1] = {}, pace: Pace = UNPACED) =>
  surfaceAt(apiAt(slack.apiUrl, TOKEN, pace), options);

describe("a post", () => {
  it("is in the thread, unfurls nothing, and carries its marker twice where people don't see it", async () => {
    const { thread } = begin();
    await open().post(thread, { type: "notice", level: "info", markdown: "See https://a.test" }, "dh_1", signal);
    expect(slack.callsTo("chat.postMessage").at(-1)?.args).toMatchObject({
      metadata: expect.anything(),
      unfurl_links: expect.anything(),
      unfurl_media: expect.anything(),
    });
    const [post] = replies("C01ENG", thread.split(":")[3] ?? "");
    expect(post?.metadata).toEqual({ event_type: "deckhand_post", event_payload: { marker: "dh_1" } });
    expect(slack.violations).toEqual([]);
  });

  it("whose blocks are refused is posted as plain text, so that no answer is lost", async () => {
    const { thread, root } = begin();
    void slack.fail("chat.postMessage", { type: "error", error: "invalid_blocks" });
    const ref = await open().post(thread, text("Revenue **rose**.", "sevt_1"), "dh_1", signal);
    const [post] = replies("C01ENG", root);
    expect(post?.ts).toBe(ref);
    expect(JSON.stringify(post?.blocks)).toContain("Revenue **rose**.");
    expect(post?.blocks.map(({ type }) => type)).toEqual(["section"]);
  });

  it("that got through though its answer was lost is found, not made again", async () => {
    const { thread, root } = begin();
    const surface = open();
    void slack.fail("chat.postMessage", { type: "reset", when: "after" });
    await expect(surface.post(thread, text("Once"), "dh_once", signal)).rejects.toBeInstanceOf(RetryableError);
    expect(await surface.find(thread, "dh_once", signal)).toBe(replies("C01ENG", root)[0]?.ts);
  });

  it("is not found by the marker that somebody else wrote", async () => {
    const { thread, root } = begin();
    const surface = open();
    await surface.post(thread, text("Mine"), "dh_forged", signal);
    const [post] = replies("C01ENG", root);
    Object.assign(post ?? {}, { user: "U02BOB", botId: null });
    expect(await surface.find(thread, "dh_forged", signal)).toBeNull();
  });

  it.each([
    ["C03OUT", /not in this channel/],
    ["C04OLD", /archived/],
  ])("in %s is refused for good, in words", async (channel, words) => {
    const { thread } = begin(channel);
    const posted = open().post(thread, text("Hi"), "dh_1", signal);
    await expect(posted).rejects.toBeInstanceOf(TerminalError);
    await expect(posted).rejects.toThrow(words);
  });

  it.each(["invalid_auth", "account_inactive", "token_revoked"])("after %s says who can mend it", async (error) => {
    const { thread } = begin();
    void slack.fail("chat.postMessage", { type: "error", error });
    await expect(open().post(thread, text("Hi"), "dh_1", signal)).rejects.toThrow(/install the app again/);
  });

  it.each([
    { type: "http", status: 503 } as const,
    { type: "error", error: "internal_error" } as const,
    { type: "reset", when: "before" } as const,
  ])("may be tried again after %j", async (fault) => {
    const { thread } = begin();
    void slack.fail("chat.postMessage", fault);
    await expect(open().post(thread, text("Hi"), "dh_1", signal)).rejects.toBeInstanceOf(RetryableError);
  });

  it("that comes too fast waits as long as Slack says, and so does every other worker", async () => {
    const held: [PacedCall, number][] = [];
    const pace: Pace = { ...UNPACED, holdOff: async (call, forMs) => void held.push([call, forMs]) };
    const { thread } = begin();
    void slack.fail("chat.postMessage", { type: "rate_limited", retryAfterSeconds: 7 });
    const posted = open({}, pace).post(thread, text("Hi"), "dh_1", signal);
    await expect(posted).rejects.toMatchObject({ retryAfterMs: 7_000 });
    expect(held).toEqual([[expect.objectContaining({ method: "chat.postMessage", channel: "C01ENG" }), 7_000]]);
  });

  it("ends when the signal aborts, though Slack does not answer", async () => {
    const { thread } = begin();
    const stopping = new AbortController();
    const reason = new Error("shutting down");
    const hit = slack.fail("chat.postMessage", { type: "hang", when: "before" });
    const posted = open().post(thread, text("Hi"), "dh_1", stopping.signal);
    void hit.then(() => stopping.abort(reason));
    await expect(posted).rejects.toBe(reason);
  });

  it("comes after the one that was asked for before it", async () => {
    const { thread, root } = begin();
    const gate = Promise.withResolvers<void>();
    const hit = slack.fail("chat.postMessage", { type: "hold", when: "before", until: gate.promise });
    const surface = open();
    const first = surface.post(thread, text("first"), "dh_1", signal);
    await hit;
    const second = surface.post(thread, text("second"), "dh_2", signal);
    // Time enough for the second, were it not for the first.
    await surface.post(begin().thread, text("elsewhere"), "dh_3", signal);
    gate.resolve();
    const refs = await Promise.all([first, second]);
    expect(replies("C01ENG", root).map(({ ts }) => ts)).toEqual(refs);
  });
});

describe("an update", () => {
  it("of a message that is gone resolves", async () => {
    const { thread, root } = begin();
    const surface = open();
    const ref = await surface.post(thread, card(), "dh_1", signal);
    await slack.remove("C01ENG", ref).done;
    await expect(surface.update(thread, ref, card({ state: "done", endedAt: 1 }), signal)).resolves.toBeUndefined();
    expect(replies("C01ENG", root)).toEqual([]);
  });

  it("that waits for its turn holds up no answer", async () => {
    const never = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    const pace: Pace = {
      ...UNPACED,
      async turn(call) {
        if (call.urgency !== "spare") return;
        waiting.resolve();
        await never.promise;
      },
    };
    const { thread } = begin();
    const surface = open({}, pace);
    const ref = await surface.post(thread, card(), "dh_1", signal);
    const update = surface.update(thread, ref, card({ tokens: 5 }), signal);
    await waiting.promise;
    expect(await surface.post(thread, text("The answer"), "dh_2", signal)).not.toBe(ref);
    never.resolve();
    await update;
  });

  it("draws no more plans where Slack does not take them", async () => {
    const { thread, root } = begin();
    const surface = open();
    void slack.fail("chat.postMessage", { type: "error", error: "invalid_blocks" });
    const ref = await surface.post(thread, card(), "dh_1", signal);
    await surface.update(thread, ref, card({ tokens: 5 }), signal);
    expect(slack.callsTo("chat.update")).toHaveLength(1);
    expect(replies("C01ENG", root)[0]?.blocks.map(({ type }) => type)).toEqual(["section", "context", "actions"]);
  });
});

describe("an upload", () => {
  const shown = (root: string) =>
    replies("C01ENG", root).map(({ blocks, fileIds }) => ({
      words: JSON.stringify(blocks),
      names: fileIds.map((id) => slack.world.files.get(id)?.title),
    }));

  it("is one message with each file followed by its picture, and says what they are", async () => {
    const { thread, root } = begin();
    const png = async () => new TextEncoder().encode("PNG");
    const files = [file("plan.xlsx", "12345", { preview: png }), file("deck.pptx", "1")];
    const ref = await open().upload(thread, files, "dh_1", signal);
    expect(replies("C01ENG", root).map(({ ts }) => ts)).toEqual([ref]);
    const [message] = shown(root);
    expect(message?.names).toEqual(["plan.xlsx", "Preview of plan.xlsx", "deck.pptx"]);
    expect(message?.words).toContain(" · Excel workbook · 5 B");
    expect(message?.words).toContain(" · PowerPoint deck · 1 B");
    expect(slack.violations).toEqual([]);
  });

  it("brings what Slack refuses, or what is too large, as a link in the same message", async () => {
    const { thread, root } = begin();
    void slack.fail("files.getUploadURLExternal", { type: "error", error: "file_upload_size_restricted" });
    const files = [file("a.csv", "1"), file("b.csv", "2"), file("c.csv", "1234567")];
    await open({ fileBytesMax: 5 }).upload(thread, files, "dh_1", signal);
    const [message] = shown(root);
    expect(message?.names).toEqual(["b.csv"]);
    expect(message?.words).toContain("not posted here: it is larger than this workspace allows");
    expect(message?.words).toContain('"url":"https://deckhand.test/a.csv"');
    expect(message?.words).toContain("not posted here: it is larger than 5 B");
    expect(message?.words).toContain('"url":"https://deckhand.test/c.csv"');
    expect(message?.words).toContain("the link works for 7 days");
    expect(message?.words).not.toContain("https://deckhand.test/b.csv");
  });

  it("brings all of them as links where no files may be posted, and is found again", async () => {
    const { thread, root } = begin();
    const surface = open();
    void slack.fail("files.completeUploadExternal", { type: "error", error: "file_uploads_disabled" });
    const ref = await surface.upload(thread, [file("a.csv", "1"), file("b.csv", "2")], "dh_links", signal);
    expect(shown(root)).toHaveLength(1);
    expect(shown(root)[0]?.words).toContain("this workspace does not allow files to be posted");
    expect(await surface.find(thread, "dh_links", signal)).toBe(ref);
  });

  it("whose answer is lost is found by itself, and not made twice", async () => {
    const { thread, root } = begin();
    void slack.fail("files.completeUploadExternal", { type: "reset", when: "after" });
    const ref = await open().upload(thread, [file("a.csv", "1")], "dh_1", signal);
    expect(replies("C01ENG", root).map(({ ts }) => ts)).toEqual([ref]);
  });

  it("of which nobody knows whether it came is looked for, and may then be tried again", async () => {
    const { thread, root } = begin();
    void slack.fail("files.completeUploadExternal", { type: "reset", when: "before" });
    const sent = open().upload(thread, [file("a.csv", "1")], "dh_1", signal);
    await expect(sent).rejects.toBeInstanceOf(RetryableError);
    expect(slack.callsTo("conversations.replies").length).toBeGreaterThan(1);
    expect(replies("C01ENG", root)).toEqual([]);
  });

  it("that breaks off in the middle of a file shows nothing and may be tried again", async () => {
    const { thread, root } = begin();
    void slack.fail("upload", { type: "reset", when: "before" });
    const sent = open().upload(thread, [file("a.csv", "1")], "dh_1", signal);
    await expect(sent).rejects.toBeInstanceOf(RetryableError);
    expect(replies("C01ENG", root)).toEqual([]);
  });

  it("does without a picture that can't be had", async () => {
    const { thread, root } = begin();
    const preview = async () => {
      throw new Error("no renderer");
    };
    await open().upload(thread, [file("a.xlsx", "1", { preview })], "dh_1", signal);
    expect(shown(root)[0]?.names).toEqual(["a.xlsx"]);
  });
});

describe("a message that was taken in", () => {
  it("gets a reaction, once", async () => {
    const { thread, root } = begin();
    const surface = open();
    await surface.acknowledge(thread, root, "started", signal);
    await surface.acknowledge(thread, root, "started", signal);
    await surface.acknowledge(thread, root, "queued", signal);
    const [message] = slack.thread("C01ENG", root);
    expect(message?.reactions.map(({ name }) => name)).toEqual(["eyes", "inbox_tray"]);
  });
});

describe("the native status", () => {
  const native = async (status: string) =>
    await slack.until("it is shown", () =>
      [...slack.world.sessions.values()].find((session) => session.status === status),
    );

  it("follows the turn, and names who asked for what", async () => {
    const { thread } = begin();
    slack.world.sessions.clear();
    const summary = async () => ({
      thread,
      sessionId: "sesn_1",
      title: "Weekly report",
      requester: "U01ALICE",
      state: "working" as const,
      activeAt: new Date(),
    });
    const surface = open({ directory: { summary } });
    const ref = await surface.post(thread, card(), "dh_1", signal);
    expect(await native("processing")).toMatchObject({ title: "Weekly report" });
    await surface.update(thread, ref, card({ state: "waiting", endedAt: 1 }), signal);
    await native("suspended");
    await surface.update(thread, ref, card({ state: "done", endedAt: 2 }), signal);
    await native("active");
  });

  it("is not asked for again where the app is no agent", async () => {
    const plain = await startFakeSlack({ isAgent: false });
    const surface = surfaceAt(apiAt(plain.apiUrl, TOKEN));
    const newThread = () => {
      const threadTs = plain.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" }).ts;
      return chatThreadKey({ surface: "slack", team: TEAM, channel: "C01ENG", threadTs });
    };
    await surface.post(newThread(), card(), "dh_1", signal);
    await plain.until("it was asked", () => plain.callsTo("agents.sessions.setStatus").length > 0);
    // The refusal arrives after the call was logged, and the next call is enough to have waited for it.
    await surface.post(newThread(), text("x"), "dh_2", signal);
    await surface.post(newThread(), card(), "dh_3", signal);
    await surface.post(newThread(), text("y"), "dh_4", signal);
    expect(plain.callsTo("agents.sessions.setStatus")).toHaveLength(1);
    await plain.close();
  });
});

describe("a streamed answer", () => {
  const DIRECT = "D01ALICE";
  const streamed = (root: string) => replies(DIRECT, root)[0];

  it("is shown while it is written, and ends with its words, its marker and its rating buttons", async () => {
    const { thread, root } = begin(DIRECT);
    const surface = open();
    expect(surface.limits(thread).drafts).toBe("stream");
    const stream = await surface.openStream(thread, signal);
    stream?.show("Revenue");
    await slack.until("it is shown", () => streamed(root)?.text.endsWith("Revenue"));
    const ref = await stream?.finish(text("Revenue rose.", "sevt_1"), "dh_s");
    expect(ref).toBe(stream?.ref);
    expect(streamed(root)).toMatchObject({
      text: "\u200BRevenue rose.",
      metadata: { event_payload: { marker: "dh_s" } },
      blocks: [expect.objectContaining({ type: "context_actions" })],
    });
    expect(await surface.find(thread, "dh_s", signal)).toBe(ref);
    expect(slack.violations).toEqual([]);
  });

  it("loses nothing when Slack ends the stream", async () => {
    const { thread, root } = begin(DIRECT);
    const surface = open();
    const stream = await surface.openStream(thread, signal);
    stream?.show("Revenue");
    await slack.until("it is shown", () => streamed(root)?.text.endsWith("Revenue"));
    slack.clock.advance(6 * 60_000);
    const ref = await stream?.finish(text("Revenue rose.", "sevt_1"), "dh_s");
    expect(ref).toBe(stream?.ref);
    expect(JSON.stringify(streamed(root)?.blocks)).toContain("Revenue rose.");
    expect(await surface.find(thread, "dh_s", signal)).toBe(ref);
  });

  it("goes on as a message that is updated before Slack ends the stream", async () => {
    const { thread, root } = begin(DIRECT);
    let now = 0;
    const surface = open({ now: () => now });
    const stream = await surface.openStream(thread, signal);
    now = 280_000;
    stream?.show("Revenue");
    await slack.until("it is shown", () => JSON.stringify(streamed(root)?.blocks).includes("Revenue"));
    expect(slack.callsTo("chat.appendStream")).toEqual([]);
    await stream?.finish(text("Revenue rose.", null), "dh_s");
    expect(JSON.stringify(streamed(root)?.blocks)).toContain("Revenue rose.");
  });

  it("that ends with other words says those", async () => {
    const { thread, root } = begin(DIRECT);
    const stream = await open().openStream(thread, signal);
    stream?.show("Revenue ro");
    await slack.until("it is shown", () => streamed(root)?.text.endsWith("ro"));
    await stream?.finish({ type: "notice", level: "error", markdown: "It broke." }, "dh_s");
    expect(JSON.stringify(streamed(root)?.blocks)).toContain("It broke.");
    expect(streamed(root)?.text).not.toContain("Revenue");
  });

  it("is posted anew when its message is gone", async () => {
    const { thread, root } = begin(DIRECT);
    const stream = await open().openStream(thread, signal);
    await slack.remove(DIRECT, stream?.ref ?? "").done;
    const ref = await stream?.finish(text("Revenue rose."), "dh_s");
    expect(ref).not.toBe(stream?.ref);
    expect(replies(DIRECT, root).map(({ ts }) => ts)).toEqual([ref]);
  });

  it("is not tried again where streams are not known", async () => {
    const { thread } = begin(DIRECT);
    const surface = open();
    void slack.fail("chat.startStream", { type: "error", error: "unknown_method" });
    expect(await surface.openStream(thread, signal)).toBeNull();
    expect(surface.limits(thread).drafts).toBe("none");
    expect(await surface.openStream(thread, signal)).toBeNull();
    expect(slack.callsTo("chat.startStream")).toHaveLength(1);
  });

  it("is for direct messages, and where it is wanted", async () => {
    expect(open().limits(begin("C01ENG").thread).drafts).toBe("none");
    expect(open({ streaming: "off" }).limits(begin(DIRECT).thread).drafts).toBe("none");
  });
});
