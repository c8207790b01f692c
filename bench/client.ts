import { z } from "zod";
import { epochMs } from "./epoch-ms.ts";

const HEADERS = { "anthropic-version": "2023-06-01", "anthropic-beta": "managed-agents-2026-04-01" };
const WITH_TOOLS = [{ type: "agent_toolset_20260401" }];

const Created = z.object({ id: z.string() });
const ToolResults = z.object({
  data: z.array(z.object({ is_error: z.boolean().nullish(), content: z.array(z.looseObject({ text: z.string() })) })),
});
const StreamEvent = z.looseObject({ type: z.string(), processed_at: z.string().nullish() });

/** An event or a preview as the client's stream showed it, and when. */
export interface Seen {
  type: string;
  /** As `epochMs`. */
  at: number;
  /** As the harness stamped it; null for a preview. */
  processedAt: number | null;
}

export interface EventStream {
  /** The first event of a type from now on, with what came since the last `until` before it. */
  until(type: string, signal: AbortSignal): Promise<Seen[]>;
  close(): Promise<void>;
}

/** The few calls of the public API that figures need, by plain `fetch`. */
export interface Client {
  /** A session with an agent that this client's sessions share, and an environment that they share unless one is named. */
  createSession(model: string, given?: { environment_id?: string; vault_ids?: string[] }): Promise<string>;
  /** @param allowedHost the only one that its sandboxes may reach, with its port */
  createEnvironment(allowedHost: string): Promise<string>;
  /** A vault with this variable in it, for every host that an environment allows. */
  createVault(variable: { name: string; value: string }): Promise<string>;
  /** What the session's last tool printed. @throws when it failed */
  lastToolResult(sessionId: string): Promise<string>;
  /** Returns when the API has answered. */
  send(sessionId: string, text: string): Promise<void>;
  /** Resolves once the server follows the session: what happens after that is seen. */
  follow(sessionId: string, previews: boolean): Promise<EventStream>;
}

export function createClient(url: string, apiKey: string): Client {
  const headers = { ...HEADERS, "x-api-key": apiKey, "content-type": "application/json" };
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  let made: { agent: string; environment_id: string } | null = null;
  return {
    async createSession(model, given = {}) {
      made ??= {
        agent: Created.parse(await post("/agents", { name: "bench", model, tools: WITH_TOOLS })).id,
        environment_id: Created.parse(await post("/environments", { name: "bench" })).id,
      };
      return Created.parse(await post("/sessions", { ...made, ...given })).id;
    },
    async createEnvironment(allowedHost) {
      const networking = { type: "limited", allowed_hosts: [allowedHost] };
      const config = { type: "cloud", networking };
      return Created.parse(await post("/environments", { name: `bench ${allowedHost}`, config })).id;
    },
    async createVault({ name, value }) {
      const { id } = Created.parse(await post("/vaults", { display_name: "bench" }));
      const networking = { type: "unrestricted" };
      const auth = { type: "environment_variable", secret_name: name, secret_value: value, networking };
      await post(`/vaults/${id}/credentials`, { auth });
      return id;
    },
    async lastToolResult(sessionId) {
      const query = "order=desc&limit=1&types[]=agent.tool_result";
      const response = await fetch(`${url}/v1/sessions/${sessionId}/events?${query}`, { headers });
      if (!response.ok) throw new Error(`GET events: ${response.status} ${await response.text()}`);
      const [result] = ToolResults.parse(await response.json()).data;
      const text = result?.content.map((part) => part.text).join("") ?? "";
      if (!result || result.is_error) throw new Error(`The session's tool failed: ${text}`);
      return text;
    },
    async send(sessionId, text) {
      const events = [{ type: "user.message", content: [{ type: "text", text }] }];
      await post(`/sessions/${sessionId}/events`, { events });
    },
    async follow(sessionId, previews) {
      const query = previews ? "?event_deltas[]=agent.message" : "";
      const ending = new AbortController();
      const response = await fetch(`${url}/v1/sessions/${sessionId}/events/stream${query}`, {
        headers,
        signal: ending.signal,
      });
      if (!response.ok || !response.body) throw new Error(`GET stream: ${response.status} ${await response.text()}`);
      return readStream(response.body, ending);
    },
  };
}

function readStream(body: ReadableStream<Uint8Array>, ending: AbortController): EventStream {
  const seen: Seen[] = [];
  let news = Promise.withResolvers<void>();
  let failure: unknown = null;
  const reading = read(body, (event) => {
    seen.push(event);
    news.resolve();
  }).catch((error: unknown) => {
    failure = error;
    news.resolve();
  });
  return {
    async until(type, signal) {
      for (;;) {
        const at = seen.findIndex((event) => event.type === type);
        if (at !== -1) return seen.splice(0, at + 1);
        if (failure !== null) throw failure;
        news = Promise.withResolvers();
        await Promise.race([news.promise, rejected(signal)]);
      }
    },
    async close() {
      ending.abort();
      await reading;
    },
  };
}

async function read(body: ReadableStream<Uint8Array>, onEvent: (event: Seen) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const at = epochMs();
    const frames = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const data = frame.slice(frame.indexOf("data: ") + "data: ".length);
      const { type, processed_at } = StreamEvent.parse(JSON.parse(data));
      onEvent({ type, at, processedAt: processed_at ? Date.parse(processed_at) : null });
    }
  }
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
