import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type Spawned, startProcess } from "../../bench/spawned.ts";
import { submitModal } from "./local-slack-modal.ts";

const BINARY = path.resolve(import.meta.dirname, "../../node_modules/local-slack-linux-x64/bin/local-slack");
const START_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 10_000;

export interface LocalSlackConfig {
  teamId?: string;
  apps: LocalSlackApp[];
  users: { id: string; name: string; real_name: string; email?: string }[];
  channels: { id: string; name: string; members: string[] }[];
}

export interface LocalSlackApp {
  appId: string;
  botUserId: string;
  botName: string;
  botToken: string;
  appToken: string;
  signingSecret: string;
  mode: "events" | "socket";
  /** Of mode `events`. */
  requestUrl?: string;
}

const LocalMessage = z.looseObject({
  ts: z.string(),
  channel: z.string(),
  user: z.string(),
  text: z.string(),
  thread_ts: z.string().optional(),
  subtype: z.string().optional(),
  blocks: z.array(z.looseObject({ type: z.string() })).optional(),
  files: z.array(z.looseObject({ id: z.string(), name: z.string(), url_private_download: z.url() })).optional(),
  reactions: z.array(z.looseObject({ name: z.string(), users: z.array(z.string()) })).optional(),
  metadata: z.unknown().optional(),
});
export type LocalMessage = z.infer<typeof LocalMessage>;

/**
 * The emulator `local-slack`, somebody else's idea of Slack. It knows no scopes and no limits, keeps no `markdown_text`,
 * delivers each event once, and takes an unknown token for the first app's.
 */
export interface LocalSlack {
  url: string;
  /** What a WebClient takes as `slackApiUrl`. */
  apiUrl: string;
  /** As a person; a thread's replies name its root. */
  say(given: { channel: string; user: string; text: string; thread_ts?: string }): Promise<LocalMessage>;
  upload(given: UploadedBy): Promise<LocalMessage>;
  edit(given: { channel: string; ts: string; user: string; text: string }): Promise<void>;
  remove(given: { channel: string; ts: string; user: string }): Promise<void>;
  react(given: { channel: string; ts: string; user: string; name: string }): Promise<void>;
  command(given: { channel: string; user: string; command: string; text: string; appId?: string }): Promise<void>;
  /** Presses a button that the message has. */
  press(given: { channel: string; ts: string; user: string; actionId: string }): Promise<void>;
  openHome(given: { user: string; appId?: string }): Promise<void>;
  /** Submits the modal that this person has open. @param values by block and action, as a view's state has them */
  submitModal(user: string, values: Record<string, Record<string, unknown>>): Promise<void>;
  messages(channel: string): Promise<LocalMessage[]>;
  /** What apps gave this method of the Web API, oldest first. */
  calls(method: string): Promise<unknown[]>;
  /** The channel between a person and an app. */
  directMessage(user: string, botToken: string): Promise<string>;
  download(file: { url_private_download: string }, botToken: string): Promise<Buffer>;
  /** Forgets messages, files and views. */
  reset(): Promise<void>;
  /** Resolves when its process has ended. */
  close(): Promise<void>;
}

export interface UploadedBy {
  channel: string;
  user: string;
  text?: string;
  thread_ts?: string;
  files: { name: string; bytes: Uint8Array }[];
}

/** Why this machine can't run it; null when it can. There is a build for Linux on x64 alone, where it must run. */
export function localSlackUnavailable(): string | null {
  if (process.platform === "linux" && process.arch === "x64") return null;
  return `local-slack has no build for ${process.platform} on ${process.arch}`;
}

/** @throws when it can't run here, or does not come up in time */
export async function startLocalSlack(config: LocalSlackConfig): Promise<LocalSlack> {
  const why = localSlackUnavailable();
  if (why !== null) throw new Error(why);
  const { teamId = "T01ACME", ...rest } = config;
  const dir = await mkdtemp(path.join(tmpdir(), "deckhand-local-slack-"));
  const file = path.join(dir, "config.json");
  await writeFile(file, JSON.stringify({ workspace: { name: "Acme", domain: "acme", teamId }, ...rest }));
  const args = ["--config", file, "--port", "0", "--base-host", "127.0.0.1", "--files-dir", path.join(dir, "files")];
  const spawned = startProcess(BINARY, args);
  const close = async () => {
    await spawned.kill("SIGTERM");
    await rm(dir, { recursive: true, force: true });
  };
  try {
    return { ...controlOf(await readyUrl(spawned)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readyUrl(spawned: Spawned): Promise<string> {
  const url = await spawned.firstLine(/Web UI: +(http\S+)/, START_TIMEOUT_MS);
  const state = await fetch(`${url}/_control/state`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  if (!state.ok) throw new Error(`local-slack answers its state with ${state.status}`);
  return url;
}

function controlOf(url: string): Omit<LocalSlack, "close"> {
  const control = (name: string, body: unknown = {}) =>
    call(`${url}/_control/${name}`, JSON.stringify(body), { "content-type": "application/json" });
  const messages = async (channel: string) => {
    const answer = await fetch(`${url}/_control/messages/${channel}`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    return z.object({ messages: z.array(LocalMessage) }).parse(await answer.json()).messages;
  };
  return {
    url,
    apiUrl: `${url}/api/`,
    messages,
    async calls(method) {
      const answer = await fetch(`${url}/_control/log`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
      const { log } = Log.parse(await answer.json());
      return log.filter(({ kind, summary }) => kind === "web_api" && summary === method).map(({ detail }) => detail);
    },
    say: async (given) => Said.parse(await control("message", given)).message,
    async upload({ files, ...fields }) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      for (const { name, bytes } of files) form.append("file", new Blob([new Uint8Array(bytes)]), name);
      return Said.parse(await call(`${url}/_control/upload`, form)).message;
    },
    edit: async (given) => void (await control("edit-message", given)),
    remove: async (given) => void (await control("delete-message", given)),
    react: async (given) => void (await control("reaction", { ...given, present: true })),
    command: async (given) => void (await control("command", given)),
    async press({ channel, ts, user, actionId }) {
      const action = actionOf((await messages(channel)).find((each) => each.ts === ts)?.blocks ?? [], actionId);
      await control("interact", { channel, messageTs: ts, user, action });
    },
    openHome: async (given) => void (await control("open-home", given)),
    submitModal: (user, values) => submitModal(url, user, values),
    async directMessage(user, botToken) {
      const headers = { authorization: `Bearer ${botToken}`, "content-type": "application/x-www-form-urlencoded" };
      const opened = await call(
        `${url}/api/conversations.open`,
        new URLSearchParams({ users: user }).toString(),
        headers,
      );
      return z.object({ channel: z.object({ id: z.string() }) }).parse(opened).channel.id;
    },
    async download(file, botToken) {
      const headers = { authorization: `Bearer ${botToken}` };
      const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
      const answer = await fetch(file.url_private_download, { headers, signal });
      if (!answer.ok) throw new Error(`local-slack answers a download with ${answer.status}`);
      return Buffer.from(await answer.arrayBuffer());
    },
    reset: async () => void (await control("reset")),
  };
}

const Log = z.object({
  log: z.array(z.looseObject({ kind: z.string(), summary: z.string(), detail: z.unknown().optional() })),
});
const Said = z.object({ message: LocalMessage });
const Answer = z.looseObject({ ok: z.literal(true) });

/** @throws Error with what it said when it refuses */
async function call(url: string, body: string | FormData, headers: Record<string, string> = {}): Promise<unknown> {
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const answer = await fetch(url, { method: "POST", body, headers, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`local-slack: ${url} answers ${answer.status}: ${text}`);
  const parsed: unknown = JSON.parse(text);
  if (!Answer.safeParse(parsed).success) throw new Error(`local-slack: ${url} answers ${text}`);
  return parsed;
}

const Element = z.looseObject({ type: z.string(), action_id: z.string(), value: z.string().optional() });

function actionOf(blocks: { type: string; block_id?: unknown; elements?: unknown }[], actionId: string) {
  for (const block of blocks) {
    const elements = z.array(z.unknown()).safeParse(block.elements).data ?? [];
    const element = elements
      .flatMap((each) => Element.safeParse(each).data ?? [])
      .find((each) => each.action_id === actionId);
    if (element) return { ...element, block_id: block.block_id };
  }
  throw new Error(`Nothing in the message has the action ${actionId}.`);
}
