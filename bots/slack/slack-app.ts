import { setTimeout as sleep } from "node:timers/promises";
import { App, type AuthorizeResult, type Receiver, type ReceiverEvent } from "@slack/bolt";
import type { WebClientOptions } from "@slack/web-api";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { createBoltLog } from "./bolt-log.ts";
import { installedTeam } from "./installed-team.ts";
import type { SlackWorkspaces } from "./slack-workspaces.ts";

export interface SlackAppOptions {
  receiver: Receiver;
  workspaces: SlackWorkspaces;
  clientOptions: WebClientOptions;
  boltLog: ReturnType<typeof createBoltLog>;
  log: Logger;
}

const SETTLE_WITHIN_MS = 3_000;

/**
 * Bolt, with two differences. An event is acknowledged when its listeners are done, not before they begin: Slack delivers again
 * what was not acknowledged, so nothing is lost with this process or the database. And who the installation is comes from
 * `workspaces`: no token enters Bolt's context, where an error might carry it into a log.
 *
 * A listener that throws leaves the event unacknowledged; one that throws TerminalError has it dropped, since delivering it again
 * would not mend it.
 */
export class SlackApp extends App {
  readonly #running = new Set<Promise<void>>();

  constructor({ receiver, workspaces, clientOptions, boltLog, log }: SlackAppOptions) {
    super({
      receiver,
      authorize: (_source, body) => authorize(workspaces, body),
      // `inboundEvent` says what is dropped, and why.
      ignoreSelf: false,
      convoStore: false,
      extendedErrorHandler: true,
      clientOptions,
      logger: boltLog,
    });
    this.error((failed: Failed) => onError(log, failed));
  }

  override async processEvent(event: ReceiverEvent): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.add(promise);
    try {
      await this.#process(event);
    } finally {
      this.#running.delete(promise);
      resolve();
    }
  }

  /** Resolves when nothing is being taken in, or when waiting longer is no use: Slack brings it again. */
  async settled(): Promise<void> {
    await Promise.race([Promise.all(this.#running), sleep(SETTLE_WITHIN_MS, undefined, { ref: false })]);
  }

  async #process(event: ReceiverEvent): Promise<void> {
    if (event.body["event"] === undefined) return await super.processEvent(event);
    let acknowledged = false;
    const ack = async () => {
      acknowledged = true;
    };
    await super.processEvent({ ...event, ack });
    if (acknowledged) await event.ack();
  }
}

async function authorize(workspaces: SlackWorkspaces, body: unknown): Promise<AuthorizeResult> {
  const team = installedTeam(body);
  if (team === null) throw new TerminalError("Slack did not say which installation this is for.");
  const { botUserId, botId } = await workspaces.of(team);
  return { botUserId, ...(botId !== null && { botId }) };
}

/** What Bolt hands to an error handler, as far as it is used. */
interface Failed {
  error: Error;
  body: unknown;
}

/** Rejects to have nothing acknowledged. */
async function onError(log: Logger, { error, body }: Failed): Promise<void> {
  const cause = originalOf(error);
  const where = { ...describe(body), error: messageOf(cause) };
  if (cause instanceof TerminalError) {
    log.warn(where, "dropped what Slack sent");
    return;
  }
  log.error(where, "could not take in what Slack sent");
  throw cause instanceof RetryableError ? cause : new RetryableError(messageOf(cause), { cause });
}

/** Bolt wraps what listeners and `authorize` throw, some of it twice. */
function originalOf(error: unknown): unknown {
  if (!(error instanceof Error) || !("original" in error) || !(error.original instanceof Error)) return error;
  return originalOf(error.original);
}

/** Says what it was and where, never what people wrote. */
function describe(body: unknown): Record<string, unknown> {
  const field = (of: unknown, name: string): unknown =>
    typeof of === "object" && of !== null && name in of
      ? Object.entries(of).find(([key]) => key === name)?.[1]
      : undefined;
  const event = field(body, "event");
  const actions = field(body, "actions");
  return {
    slack_team: installedTeam(body),
    slack_type: field(event, "type") ?? field(body, "type") ?? field(body, "command"),
    slack_event_id: field(body, "event_id"),
    slack_channel: field(event, "channel") ?? field(field(body, "channel"), "id"),
    slack_action: field(Array.isArray(actions) ? actions[0] : null, "action_id"),
    slack_callback_id: field(body, "callback_id") ?? field(field(body, "view"), "callback_id"),
  };
}
