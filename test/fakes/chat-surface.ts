import { setImmediate as turnOfLoop } from "node:timers/promises";
import type {
  AnswerStream,
  ChatMessage,
  ChatSurface,
  SurfaceLimits,
  WordsMessage,
} from "../../bots/shared/chat-surface.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";

export interface PostedMessage {
  thread: ChatThreadKey;
  marker: string;
  ref: string;
  /** As it reads now. */
  message: ChatMessage;
  /** How often it was updated. */
  updates: number;
  /** It is being written. */
  streaming: boolean;
}

export interface UploadedFiles {
  thread: ChatThreadKey;
  marker: string;
  files: { name: string; content: string; preview: string | null }[];
}

type Method = "post" | "update" | "openStream" | "finish" | "discard" | "upload" | "find" | "acknowledge";

/** A chat service in memory. It outlives the surfaces that talk to it, as the real ones outlive our processes. */
export function createChatService() {
  const posts: PostedMessage[] = [];
  const uploads: UploadedFiles[] = [];
  const acknowledged: { messageId: string; how: "started" | "queued" }[] = [];
  const faults: { method: Method; when: "before" | "after"; error: Error }[] = [];
  const refused = new Map<string, Error>();
  const changed: (() => void)[] = [];
  const note = () => changed.splice(0).forEach((wake) => wake());

  const strike = (method: Method, when: "before" | "after") => {
    const index = faults.findIndex((fault) => fault.method === method && fault.when === when);
    const [fault] = index === -1 ? [] : faults.splice(index, 1);
    if (!fault) return;
    note();
    throw fault.error;
  };
  const guarded = async <Result>(method: Method, signal: AbortSignal, effect: () => Result | Promise<Result>) => {
    await turnOfLoop();
    signal.throwIfAborted();
    strike(method, "before");
    const result = await effect();
    note();
    strike(method, "after");
    return result;
  };

  let refs = 0;
  const nextRef = () => `ts-${++refs}`;

  const openStream = (thread: ChatThreadKey, signal: AbortSignal): AnswerStream => {
    const message: WordsMessage = { type: "text", markdown: "", answerId: null };
    const post: PostedMessage = { thread, marker: "", ref: nextRef(), message, updates: 0, streaming: true };
    posts.push(post);
    return {
      ref: post.ref,
      show(markdown) {
        if (!post.streaming || signal.aborted) return;
        if ("markdown" in post.message && !markdown.startsWith(post.message.markdown)) post.streaming = false;
        else post.message = { ...message, markdown };
        note();
      },
      finish: (message, marker) =>
        guarded("finish", signal, () => {
          Object.assign(post, { message, marker, streaming: false });
          return post.ref;
        }),
      discard: () =>
        guarded("discard", signal, () => void posts.splice(0, posts.length, ...posts.filter((one) => one !== post))),
    };
  };

  const surface = (limits: Partial<SurfaceLimits> = {}): ChatSurface => ({
    name: "slack",
    limits: () => ({ markdownCharsMax: 4000, updateIntervalMs: 1, heartbeatMs: null, drafts: "none", ...limits }),
    openStream: (thread, signal) =>
      guarded("openStream", signal, () => (limits.drafts === "stream" ? openStream(thread, signal) : null)),
    post: (thread, message, marker, signal) =>
      guarded("post", signal, () => {
        const ref = nextRef();
        posts.push({ thread, marker, ref, message, updates: 0, streaming: false });
        return ref;
      }),
    update: (_thread, ref, message, signal) =>
      guarded("update", signal, () => {
        const post = posts.find((candidate) => candidate.ref === ref);
        if (post) Object.assign(post, { message, updates: post.updates + 1, streaming: false });
      }),
    upload: (thread, files, marker, signal) =>
      guarded("upload", signal, async () => {
        for (const file of files) {
          const refusal = refused.get(file.filename);
          if (refusal) throw refusal;
        }
        const read = files.map(async (file) => ({
          name: file.filename,
          content: await new Response(await file.content(signal)).text(),
          preview: await file.preview(signal).then((png) => png && Buffer.from(png).toString()),
        }));
        uploads.push({ thread, marker, files: await Promise.all(read) });
        return `up-${uploads.length}`;
      }),
    find: (thread, marker, signal) =>
      guarded("find", signal, () => {
        const post = posts.find((candidate) => candidate.thread === thread && candidate.marker === marker);
        const upload = uploads.findIndex((candidate) => candidate.thread === thread && candidate.marker === marker);
        return post?.ref ?? (upload === -1 ? null : `up-${upload + 1}`);
      }),
    acknowledge: (_thread, messageId, how, signal) =>
      guarded("acknowledge", signal, () => void acknowledged.push({ messageId, how })),
  });

  return {
    surface,
    posts,
    uploads,
    acknowledged,
    /** The next call of `method` fails, before or after it had its effect. */
    fail: (method: Method, when: "before" | "after", error: Error) => void faults.push({ method, when, error }),
    /** How many of them are still to come. */
    faultsLeft: () => faults.length,
    /** Uploads with a file of this name fail. */
    refuse: (filename: string, error: Error) => void refused.set(filename, error),
    /** What people read, statuses and approvals left out. */
    words: () => posts.flatMap(({ message }) => ("markdown" in message ? message.markdown : [])),
    approvals: () => posts.flatMap(({ message }) => (message.type === "approval" ? message.card : [])),
    statuses: () => posts.flatMap(({ message }) => (message.type === "status" ? message.card : [])),
    /** Resolves as soon as `check` holds. */
    async until(check: () => boolean): Promise<void> {
      while (!check()) await new Promise<void>((resolve) => void changed.push(resolve));
    },
  };
}
