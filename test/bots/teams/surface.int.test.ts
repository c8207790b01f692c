import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ChatFile, ChatMessage } from "../../../bots/shared/chat-surface.ts";
import { createPaceStore } from "../../../bots/shared/pace-store.ts";
import { createTeamsPace } from "../../../bots/teams/pace.ts";
import { teamsThread } from "../../../bots/teams/teams-thread.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { DOCUMENTED_THROTTLES } from "../../fakes/teams/throttles.ts";
import { openSurfaceRig, type SurfaceRig } from "./surface-rig.ts";

const { signal } = new AbortController();
const NOW = Date.now();
let rig: SurfaceRig;
beforeAll(async () => {
  rig = await openSurfaceRig();
});
afterEach(() => rig.refuseViolations());
afterAll(() => rig.close());

const text = (markdown: string) => ({ type: "text", markdown, answerId: "sevt_1" }) as const;
const status = {
  type: "status",
  card: {
    state: "working",
    steps: [{ label: "I count the rows", state: "running", detail: null, toolCount: 0 }],
    startedAt: NOW,
    endedAt: null,
    tokens: 0,
    costCents: null,
    note: null,
    draft: null,
  },
} satisfies ChatMessage;
const PNG = Buffer.from("iVBORw0KGgo=", "base64");

function file(filename: string, content: string, more: Partial<ChatFile> = {}): ChatFile {
  const bytes = new TextEncoder().encode(content);
  return {
    id: `file_${filename}`,
    filename,
    mimeType: "text/csv",
    sizeBytes: bytes.byteLength,
    content: async () => new Blob([bytes]).stream(),
    preview: async () => PNG,
    link: async () => ({ url: `https://deckhand.test/${filename}`, expiresAt: NOW + 86_400_000 }),
    ...more,
  };
}

describe("an answer that is streamed", () => {
  it("begins with what is being done, grows, and ends as a message with label and buttons", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    const surface = rig.surface();
    await surface.post(thread, status, "dh_status", signal);
    const stream = await surface.openStream(thread, signal);
    stream?.show("Revenue");
    const ours = () => rig.fake.streams.find((each) => each.conversation === conversation);
    await rig.fake.until("it to be shown", () => ours()?.texts.includes("Revenue"));
    stream?.show("Revenue rose");
    await rig.fake.until("it to be shown", () => ours()?.texts.includes("Revenue rose"));
    const ref = await stream?.finish(text("Revenue rose."), "dh_a");
    expect(ours()).toMatchObject({
      informative: ["I count the rows"],
      texts: ["Revenue", "Revenue rose", "Revenue rose."],
      state: "final",
    });
    const posted = rig.fake.written(conversation.id).find(({ id }) => id === ref);
    expect(posted?.wire).toMatchObject({ text: "Revenue rose.", channelData: { feedbackLoop: { type: "default" } } });
  });

  it("stops the session when the person presses Teams' own Stop, and still brings the answer there is", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    const surface = rig.surface();
    const stream = await surface.openStream(thread, signal);
    stream?.show("Reve");
    const ours = () => rig.fake.streams.find((each) => each.conversation === conversation);
    await rig.fake.until("it to be shown", () => ours()?.texts.includes("Reve"));
    const open = ours();
    if (open) open.state = "canceled";
    stream?.show("Revenue");
    await expect.poll(() => rig.stopped, { timeout: 10_000 }).toContain(thread);
    await stream?.finish(text("Revenue"), "dh_a");
    expect(rig.fake.written(conversation.id).map(({ wire }) => wire["text"])).toEqual(["Revenue"]);
  });

  it("begins also right after a status card and what else took the room there was", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    const surface = rig.surface();
    for (const marker of ["dh_1", "dh_2", "dh_3", "dh_4"]) await surface.post(thread, text("A post."), marker, signal);
    const stream = await surface.openStream(thread, signal);
    await stream?.finish(text("Revenue rose."), "dh_a");
    expect(rig.fake.streams.find((each) => each.conversation === conversation)).toMatchObject({ state: "final" });
  });

  it("goes on as an edited message before Teams' time is over", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    let clock = Date.now();
    const surface = rig.surface({ now: () => clock });
    const stream = await surface.openStream(thread, signal);
    stream?.show("One");
    await rig.fake.until("it to be shown", () => rig.fake.streams.some((each) => each.texts.includes("One")));
    clock += 101_000;
    stream?.show("One two");
    await rig.fake.until("it to be shown", () =>
      rig.fake.written(conversation.id).some(({ wire }) => wire["text"] === "One two"),
    );
    expect(rig.fake.streams.find((each) => each.conversation === conversation)?.state).toBe("final");
    await stream?.finish(text("One two three"), "dh_a");
    expect(rig.fake.written(conversation.id).map(({ wire }) => wire["text"])).toEqual(["One two three"]);
  });

  it("whose words turn out otherwise ends with the right ones", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    const stream = await rig.surface().openStream(thread, signal);
    stream?.show("Sales fell");
    await rig.fake.until("it to be shown", () => rig.fake.streams.some((each) => each.texts.includes("Sales fell")));
    await stream?.finish(text("Sales rose."), "dh_a");
    expect(rig.fake.written(conversation.id).map(({ wire }) => wire["text"])).toEqual(["Sales rose."]);
  });

  it("that a process left behind is not lost, whether Teams still waits for its end or has dropped it", async () => {
    for (const passesMs of [1_000, 130_000]) {
      const { thread, conversation } = await rig.newThread("personal");
      const now = () => rig.fake.clock.now();
      const stream = await rig.surface({ now }).openStream(thread, signal);
      stream?.show("Sales");
      const ours = () => rig.fake.streams.find((each) => each.conversation === conversation);
      await rig.fake.until("it to be shown", () => ours()?.texts.includes("Sales"));
      rig.fake.clock.advance(passesMs);
      const left = ours();
      if (passesMs > 120_000 && left) left.state = "timed_out";
      await rig.surface({ now }).update(thread, stream?.ref ?? "", text("Sales rose."), signal);
      expect(rig.fake.written(conversation.id).map(({ wire }) => wire["text"])).toEqual(["Sales rose."]);
    }
  });
});

describe("what Teams refuses", () => {
  it.each([
    ["BotNotInConversationRoster", /Add the app again/],
    ["ConversationBlockedByUser", /blocked Deckhand/],
    ["BotDisabledByAdmin", /admin has disabled/],
  ])("%s ends posting to the conversation, in words", async (code, words) => {
    const { thread } = await rig.newThread("groupChat");
    const surface = rig.surface();
    void rig.fake.fail("send", { type: "refuse", status: 403, code });
    await expect(surface.post(thread, text("Hello"), "dh_a", signal)).rejects.toThrow(words);
    const known = await rig.conversations.find(teamsThread(thread).place);
    expect(known?.disabled).toMatch(words);
    const calls = rig.fake.callsTo("send").length;
    await expect(surface.post(thread, text("Hello"), "dh_b", signal)).rejects.toThrow(TerminalError);
    expect(rig.fake.callsTo("send")).toHaveLength(calls);
  });

  it.each([412, 502, 504])("%i may be tried again", async (status) => {
    const { thread } = await rig.newThread("groupChat");
    void rig.fake.fail("send", { type: "refuse", status, code: "Later" });
    await expect(rig.surface().post(thread, text("Hello"), "dh_a", signal)).rejects.toThrow(RetryableError);
  });

  it("429 says when", async () => {
    const { thread } = await rig.newThread("groupChat");
    void rig.fake.fail("send", { type: "throttled", retryAfterSeconds: 7 });
    const posted = rig.surface().post(thread, text("Hello"), "dh_a", signal);
    await expect(posted).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it("an edit of what is gone is done", async () => {
    const { thread } = await rig.newThread("groupChat");
    const surface = rig.surface();
    const ref = await surface.post(thread, status, "dh_a", signal);
    rig.fake.deleteForBot(ref);
    await expect(surface.update(thread, ref, status, signal)).resolves.toBeUndefined();
  });
});

describe("files", () => {
  it("are offered in a personal chat, each once, beside one message with pictures and links", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    const files = [file("a.csv", "1"), file("b.csv", "22")];
    const surface = rig.surface();
    const ref = await surface.upload(thread, files, "dh_f", signal);
    // As a process does that takes over from one that died before it noted the message.
    await rig.surface().upload(thread, files, "dh_f", signal);
    const written = rig.fake.written(conversation.id);
    const offers = written.filter(({ wire }) => JSON.stringify(wire).includes("file.consent"));
    expect(offers.map(({ wire }) => Object(wire["attachments"])[0].name)).toEqual(["a.csv", "b.csv"]);
    const card = JSON.stringify(written.find(({ id }) => id === ref)?.wire);
    expect(card).toContain("https://deckhand.test/a.csv");
    expect(card).toContain("data:image/png;base64,");
    expect(card).toContain("the link works for 24 hours");
  });

  it("of the same name are offered under names of their own", async () => {
    const { thread, conversation } = await rig.newThread("personal");
    await rig
      .surface()
      .upload(thread, [file("a.csv", "1", { id: "f1" }), file("a.csv", "2", { id: "f2" })], "dh_f", signal);
    const names = rig.fake
      .written(conversation.id)
      .flatMap(({ wire }) => Object(wire["attachments"]).flatMap((each: { name?: string }) => each.name ?? []));
    expect(names).toEqual(["a.csv", "a (2).csv"]);
  });

  it("come as links alone in a group chat, and where bots have no files", async () => {
    for (const kind of ["groupChat", "personal"] as const) {
      const { thread, conversation } = await rig.newThread(kind);
      await rig.surface({ consents: null }).upload(thread, [file("a.csv", "1")], "dh_f", signal);
      expect(rig.fake.written(conversation.id)).toHaveLength(1);
    }
  });

  it("are without pictures where Teams does not take them", async () => {
    const { thread, conversation } = await rig.newThread("groupChat");
    void rig.fake.fail("send", { type: "refuse", status: 413, code: "MessageSizeTooBig" });
    await rig.surface().upload(thread, [file("a.csv", "1")], "dh_f", signal);
    const [only] = rig.fake.written(conversation.id);
    expect(JSON.stringify(only?.wire)).not.toContain("data:image");
  });

  it("lie in the channel's own folder where Graph may write there, and come as links where it may not", async () => {
    const { thread, rootId } = await rig.newThread("channel");
    const surface = rig.surface({ graph: rig.graph });
    await surface.upload(thread, [file("a.csv", "1")], "dh_f", signal);
    expect(rig.fake.world.items.some(({ name }) => name.startsWith("a ("))).toBe(false);
    for (const each of ["Files.Read.All", "Files.ReadWrite.All"]) rig.fake.permit(each);
    const large = "x".repeat(5 * 1024 * 1024);
    await surface.upload(thread, [file("a.csv", "1"), file("large.csv", large)], "dh_g", signal);
    const stored = rig.fake.world.items.filter(({ name }) => /^(?:a|large) \([0-9a-f]{4}\)\.csv$/.test(name));
    expect(stored.map(({ bytes }) => bytes.length)).toEqual([1, large.length]);
    const card = JSON.stringify(rig.fake.written("eng", rootId ?? "").at(-1)?.wire);
    for (const { uniqueId } of stored) expect(card.toLowerCase()).toContain(uniqueId);
  });
});

describe("the pace", () => {
  it("keeps two workers together within what Teams documents", async () => {
    const paced = await openSurfaceRig({ pace: (database) => createTeamsPace(createPaceStore(database)) });
    try {
      paced.fake.limit(DOCUMENTED_THROTTLES);
      const { thread } = await paced.newThread("groupChat");
      const workers = [paced.surface(), paced.surface()];
      const posts = workers.flatMap((worker, index) =>
        [1, 2, 3, 4, 5, 6].map((number) =>
          worker.post(thread, text(`Number ${number} of ${index}`), `dh_${index}_${number}`, signal),
        ),
      );
      await expect(Promise.all(posts)).resolves.toHaveLength(12);
      expect(paced.fake.calls.filter(({ answer }) => answer?.status === 429)).toEqual([]);
    } finally {
      await paced.close();
    }
  });
});
