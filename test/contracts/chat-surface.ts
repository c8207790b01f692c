import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApprovalState, ChatFile, ChatMessage, ChatSurface, StatusCard } from "../../bots/shared/chat-surface.ts";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../../bots/shared/chat-thread.ts";

/** A thread that nothing was posted in. */
export interface ThreadUnderTest {
  thread: ChatThreadKey;
  surface: ChatSurface;
  /** The surface as a process sees it that starts after this one was killed. */
  afterCrash(): Promise<ChatSurface>;
  /** What people see: the text of the messages as they read now, and the bytes of the files by name. */
  seen(): Promise<{ texts: string; files: Record<string, string> }>;
}

/** What a surface can't do, since the place it stands for can't. */
export interface SurfaceLacks {
  /** It can't be asked what was posted: a process knows only its own posts, and what was in doubt is posted again. */
  asking?: boolean;
  /** It takes no bytes itself: files come as links, or when a person has said so. */
  files?: boolean;
}

export interface SurfaceUnderTest {
  newThread(): Promise<ThreadUnderTest>;
  close(): Promise<void>;
}

const text = (markdown: string): ChatMessage => ({ type: "text", markdown, answerId: null });
const card = (fields: Partial<StatusCard> = {}): ChatMessage => ({
  type: "status",
  card: {
    state: "working",
    steps: [{ label: "I count the rows", state: "running", detail: "bash: wc -l", toolCount: 1 }],
    startedAt: 1_000,
    endedAt: null,
    tokens: 10,
    costCents: null,
    note: null,
    draft: null,
    ...fields,
  },
});

const approval = (state: ApprovalState): ChatMessage => ({
  type: "approval",
  card: {
    toolUseId: "sevt_1",
    toolName: "bash",
    summary: "bash: rm -r old",
    detail: "rm -r old",
    approvers: [],
    requester: null,
    state,
  },
});

let ids = 0;
function file(filename: string, content: string, preview: string | null = null): ChatFile {
  const bytes = new TextEncoder().encode(content);
  return {
    id: `file_${++ids}`,
    filename,
    mimeType: "text/csv",
    sizeBytes: bytes.byteLength,
    content: async () => new Blob([bytes]).stream(),
    preview: async () => (preview === null ? null : new TextEncoder().encode(preview)),
    link: async () => null,
  };
}

/** What every surface promises (`bots/shared/chat-surface.ts`). */
export function chatSurfaceContract(
  name: string,
  open: () => Promise<SurfaceUnderTest>,
  lacks: SurfaceLacks = {},
): void {
  describe(`chat surface contract: ${name}`, () => {
    const { signal } = new AbortController();
    let under: SurfaceUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());

    it("names itself as its thread keys do", async () => {
      const { thread, surface } = await under.newThread();
      expect(chatThreadKey(parseChatThreadKey(thread))).toBe(thread);
      expect(parseChatThreadKey(thread).surface).toBe(surface.name);
    });

    it("declares limits that can be kept", async () => {
      const { thread, surface } = await under.newThread();
      const { markdownCharsMax, updateIntervalMs, heartbeatMs } = surface.limits(thread);
      expect(markdownCharsMax).toBeGreaterThanOrEqual(64);
      expect(updateIntervalMs).toBeGreaterThanOrEqual(0);
      expect(heartbeatMs === null || heartbeatMs >= updateIntervalMs).toBe(true);
    });

    it("shows what is posted, without the marker", async () => {
      const { thread, surface, seen } = await under.newThread();
      await surface.post(thread, text("Revenue **rose**."), "dh_secret", signal);
      const { texts } = await seen();
      expect(texts).toContain("rose");
      expect(texts).not.toContain("dh_secret");
    });

    it("shows each kind of message", async () => {
      const { thread, surface, seen } = await under.newThread();
      await surface.post(thread, { type: "notice", level: "error", markdown: "It broke." }, "dh_1", signal);
      await surface.post(thread, card(), "dh_2", signal);
      const { texts } = await seen();
      expect(texts).toContain("It broke.");
      expect(texts).toContain("I count the rows");
    });

    it("takes a message as long as it says it does", async () => {
      const { thread, surface } = await under.newThread();
      const long = "word ".repeat(Math.floor(surface.limits(thread).markdownCharsMax / 5)).trim();
      await expect(surface.post(thread, text(long), "dh_long", signal)).resolves.toEqual(expect.any(String));
    });

    it("replaces a message, as often as it is told to", async () => {
      const { thread, surface, seen } = await under.newThread();
      const ref = await surface.post(thread, card(), "dh_status", signal);
      const done = card({ state: "done", endedAt: 5_000, steps: [] });
      await surface.update(thread, ref, done, signal);
      await surface.update(thread, ref, done, signal);
      expect((await seen()).texts).not.toContain("bash: wc -l");
    });

    it("shows what is asked for in full, and who decided on it", async () => {
      const { thread, surface, seen } = await under.newThread();
      const ref = await surface.post(
        thread,
        approval({ type: "open", expiresAt: Date.now() + 60_000 }),
        "dh_a",
        signal,
      );
      expect((await seen()).texts).toContain("rm -r old");
      await surface.update(
        thread,
        ref,
        approval({ type: "decided", decision: "deny", by: "Ada", at: Date.now(), reason: "we need it" }),
        signal,
      );
      const { texts } = await seen();
      expect(texts).toContain("Ada");
      expect(texts).toContain("we need it");
    });

    it.each([{ type: "expired", at: 5_000 }, { type: "moot" }] as const)(
      "shows an approval that is $type",
      async (state) => {
        const { thread, surface, seen } = await under.newThread();
        const ref = await surface.post(thread, approval({ type: "open", expiresAt: null }), "dh_b", signal);
        await surface.update(thread, ref, approval(state), signal);
        expect((await seen()).texts).toContain("bash");
      },
    );

    it("streams an answer where it says so, and nowhere else", async () => {
      const { thread, surface } = await under.newThread();
      const stream = await surface.openStream(thread, signal);
      expect(stream === null || surface.limits(thread).drafts === "stream").toBe(true);
      await stream?.discard();
    });

    it("makes a stream a lasting message with the words it ends with, that is found and can be updated", async () => {
      const { thread, surface, seen, afterCrash } = await under.newThread();
      const stream = await surface.openStream(thread, signal);
      if (!stream) return;
      stream.show("Revenue");
      stream.show("Revenue ro");
      const ref = await stream.finish({ type: "text", markdown: "Revenue rose.", answerId: null }, "dh_s");
      expect((await seen()).texts).toContain("Revenue rose.");
      const next = await afterCrash();
      if (!lacks.asking) expect(await next.find(thread, "dh_s", signal)).toBe(ref);
      await next.update(thread, ref, text("Revenue fell."), signal);
      expect((await seen()).texts).not.toContain("rose");
    });

    it("lets a stream that a crash left be made the answer", async () => {
      const { thread, surface, seen, afterCrash } = await under.newThread();
      const stream = await surface.openStream(thread, signal);
      if (!stream) return;
      stream.show("Revenue ro");
      await (await afterCrash()).update(thread, stream.ref, text("Revenue rose."), signal);
      expect((await seen()).texts.match(/Revenue/g)).toHaveLength(1);
    });

    it("takes back what a discarded stream has shown", async () => {
      const { thread, surface, seen } = await under.newThread();
      const stream = await surface.openStream(thread, signal);
      if (!stream) return;
      stream.show("I look at");
      await stream.discard();
      expect((await seen()).texts).not.toContain("I look at");
      await surface.update(thread, stream.ref, text("late"), signal);
    });

    it("finds by its marker what was posted, and nothing else", async () => {
      const { thread, surface } = await under.newThread();
      const other = await under.newThread();
      const ref = await surface.post(thread, text("One"), "dh_one", signal);
      expect(await surface.find(thread, "dh_one", signal)).toBe(ref);
      expect(await surface.find(thread, "dh_two", signal)).toBeNull();
      expect(await other.surface.find(other.thread, "dh_one", signal)).toBeNull();
    });

    it("finds it after a crash, and can still update it", async () => {
      const { thread, surface, afterCrash } = await under.newThread();
      const ref = await surface.post(thread, card(), "dh_before", signal);
      const next = await afterCrash();
      expect(await next.find(thread, "dh_before", signal)).toBe(lacks.asking ? null : ref);
      await next.update(thread, ref, card({ state: "done", endedAt: 5_000, steps: [] }), signal);
    });

    it("brings files byte by byte, several in one message", async () => {
      if (lacks.files) return;
      const { thread, surface, seen, afterCrash } = await under.newThread();
      const files = [file("report.csv", "a,b\n1,2\n", "PNG"), file("übersicht 2.csv", "x\u0000y")];
      const ref = await surface.upload(thread, files, "dh_files", signal);
      expect((await seen()).files).toMatchObject({ "report.csv": "a,b\n1,2\n", "übersicht 2.csv": "x\u0000y" });
      const next = await afterCrash();
      expect(await next.find(thread, "dh_files", signal)).toBe(ref);
    });

    it("does not find an upload that was not made in full", async () => {
      if (lacks.files) return;
      const { thread, surface, afterCrash } = await under.newThread();
      const broken = file("broken.csv", "12345");
      broken.content = async () => {
        throw new Error("the download broke off");
      };
      const files = [file("whole.csv", "1"), broken];
      await expect(surface.upload(thread, files, "dh_half", signal)).rejects.toThrow("broke off");
      expect(await (await afterCrash()).find(thread, "dh_half", signal)).toBeNull();
    });

    it("acknowledges a message, as often as it is told to", async () => {
      const { thread, surface } = await under.newThread();
      await surface.acknowledge(thread, "m1", "started", signal);
      await surface.acknowledge(thread, "m1", "queued", signal);
      await expect(surface.acknowledge(thread, "m1", "queued", signal)).resolves.toBeUndefined();
    });

    it("does nothing once the signal has aborted", async () => {
      const { thread, surface, seen } = await under.newThread();
      const reason = new Error("stopped");
      const aborted = AbortSignal.abort(reason);
      await expect(surface.post(thread, text("Late"), "dh_late", aborted)).rejects.toBe(reason);
      await expect(surface.upload(thread, [file("late.csv", "1")], "dh_late", aborted)).rejects.toBe(reason);
      await expect(surface.find(thread, "dh_late", aborted)).rejects.toBe(reason);
      expect(await surface.find(thread, "dh_late", signal)).toBeNull();
      expect((await seen()).files).toEqual({});
    });
  });
}
