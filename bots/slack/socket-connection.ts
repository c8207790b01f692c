import type { SocketModeReceiver } from "@slack/bolt";
import { WebAPIPlatformError } from "@slack/web-api";
import { messageOf, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { backOff } from "../shared/backoff.ts";

type SocketClient = SocketModeReceiver["client"];

export interface SocketConnection {
  /** Whether there was a connection within this time. @throws TerminalError when Slack refuses the app token for good */
  first(withinMs: number): Promise<boolean>;
  /** Ends the connection, and the attempts at one. */
  stop(): Promise<void>;
}

const REFUSED = new Set(["invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type"]);

/**
 * Keeps a socket to Slack open until it is stopped: connects again at once when Slack ends the connection, as it does every few
 * hours, and after a growing pause when it can't. The client's own reconnecting is off: it gives up on a network that is
 * away for a moment, by a rejection that nobody can catch.
 */
export function keepConnected(client: SocketClient, log: Logger): SocketConnection {
  const stopping = new AbortController();
  const first = Promise.withResolvers<boolean>();
  // Nobody need wait for it.
  first.promise.catch(() => undefined);
  const done = run();

  return {
    async first(withinMs) {
      const late = setTimeout(() => first.resolve(false), withinMs);
      try {
        return await first.promise;
      } finally {
        clearTimeout(late);
      }
    },
    async stop() {
      stopping.abort();
      await client.disconnect();
      await done;
    },
  };

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        await client.start();
        // The client doesn't notice a stop while it asks for the address of the socket.
        if (stopping.signal.aborted) break;
        failures = 0;
        log.info("connected to Slack by Socket Mode");
        first.resolve(true);
        await disconnected(client, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) break;
        failures += 1;
        const refused = refusal(error);
        if (refused) first.reject(refused);
        log[refused ? "error" : "warn"]({ error: messageOf(refused ?? error) }, "no connection to Slack; trying again");
        // The loop looks at the signal itself.
        await backOff(failures, stopping.signal).catch(() => undefined);
      }
    }
    await client.disconnect();
  }
}

async function disconnected(client: SocketClient, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    client.once("disconnected", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function refusal(error: unknown): TerminalError | null {
  if (!(error instanceof WebAPIPlatformError) || !REFUSED.has(error.data.error)) return null;
  return new TerminalError(
    `Slack refuses SLACK_APP_TOKEN (${error.data.error}). Make one, xapp-…, with the scope connections:write under ` +
      '"Basic Information" of the app, and turn Socket Mode on.',
    { cause: error },
  );
}
