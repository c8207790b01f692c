import { DEFAULT_AGENT_MARK } from "../../../bots/shared/default-agent.ts";
import type { Config } from "../../config.ts";
import { messageOf } from "../../errors.ts";
import { inPlainWords, reachRunning } from "../connection.ts";
import type { ChatFinding } from "./chat-finding.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const PAGE_SIZE = 100;

type Client = NonNullable<Awaited<ReturnType<typeof reachRunning>>>["client"];

/** Whether the bots can work with the API: their key, a model, and where links to files lead. Makes nothing. */
export async function checkPlatform(config: Config, signal: AbortSignal): Promise<ChatFinding[]> {
  const subject = "API";
  try {
    const reached = await reachRunning({ config, url: null, signal });
    if (reached === null) {
      const mend = "Start it with `./deckhand up`, or set DECKHAND_URL.";
      return [{ state: "missing", subject, detail: "no server runs in this home", mend }];
    }
    const { client, url } = reached;
    const findings = await modelFindings(client, config, signal);
    return [{ state: "ok", subject, detail: `${url} takes the key` }, ...findings, linkFinding(config, url)];
  } catch (error) {
    signal.throwIfAborted();
    const mend = "Look at DECKHAND_URL and DECKHAND_API_KEY, and at the log of the API.";
    return [{ state: "missing", subject, detail: messageOf(inPlainWords(error)), mend }];
  }
}

async function modelFindings(client: Client, config: Config, signal: AbortSignal): Promise<ChatFinding[]> {
  const request = { signal, timeout: REQUEST_TIMEOUT_MS, maxRetries: 0 };
  const { data: models } = await client.models.list({ limit: PAGE_SIZE }, request);
  const wanted = config.defaultModel ?? models[0]?.id;
  if (wanted === undefined || !models.some(({ id }) => id === wanted)) {
    const detail = wanted === undefined ? "the server offers none" : `the server does not offer ${wanted}`;
    return [
      {
        state: "missing",
        subject: "Model",
        detail,
        mend: "Set ANTHROPIC_API_KEY or OPENAI_MODELS for the server, or DECKHAND_MODEL.",
      },
    ];
  }
  const { data: agents } = await client.beta.agents.list({ limit: PAGE_SIZE }, request);
  const ours = agents.find(({ metadata }) => metadata["deckhand"] === DEFAULT_AGENT_MARK);
  return [
    { state: "ok", subject: "Model", detail: wanted },
    { state: "ok", subject: "Agent", detail: ours ? `${ours.name} (${ours.id})` : "is made with the first message" },
  ];
}

function linkFinding({ publicUrl }: Config, apiUrl: string): ChatFinding {
  const subject = "Links to files";
  if (publicUrl !== null) return { state: "ok", subject, detail: `lead to ${publicUrl}` };
  return {
    state: "cannot_tell",
    subject,
    detail: `DECKHAND_PUBLIC_URL is not set, so they lead to where the API listens (${apiUrl})`,
    mend: "Set it for the API to the address at which people's browsers reach it. Files posted to Slack don't need it; in Teams it is how most files are had.",
  };
}
