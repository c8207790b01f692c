import { randomUUID } from "node:crypto";
import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { isTransient } from "./api-errors.ts";
import { backOff } from "./backoff.ts";
import type { ChatStore, ThreadRecord } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { keepLease } from "./delivery-lease.ts";
import type { DeliveryRecords } from "./delivery-scope.ts";
import { followSession } from "./session-events.ts";
import { createTurnPoster, type TurnPoster } from "./turn-poster.ts";

export interface DeliverDeps {
  client: Anthropic;
  surface: ChatSurface;
  store: ChatStore;
  /** Absent where the thread belongs to one person. */
  records?: DeliveryRecords;
  log: Logger;
  /** How long a thread stays with a deliverer that died. */
  leaseMs?: number;
  /** See `FollowOptions`. */
  quietMs?: number;
}

const LEASE_MS = 10_000;

/**
 * Brings everything new of a thread's session into the thread and resolves when the session is idle, or waits for people
 * to decide, and all of it is there. Resolves at once when somebody else is at it: whoever holds the lease sees every `wake` made before. May be killed
 * at any point and called again: nothing is lost, nothing is posted twice. An API that is down is waited for.
 * @throws the signal's reason, and API or surface errors that trying again would not mend
 */
export async function deliverThread(deps: DeliverDeps, thread: ChatThreadKey, signal: AbortSignal): Promise<void> {
  const { deliveries, threads } = deps.store;
  const owner = randomUUID();
  const leaseMs = deps.leaseMs ?? LEASE_MS;
  if (!(await deliveries.lease(thread, owner, leaseMs))) return;

  const lease = keepLease(deliveries, thread, owner, leaseMs, signal);
  try {
    for (let failures = 0; ;) {
      const record = await threads.open(thread);
      try {
        await deliverSession(deps, thread, record, lease.signal);
        failures = 0;
      } catch (error) {
        lease.signal.throwIfAborted();
        if (!isTransient(error)) throw error;
        failures += 1;
        deps.log.warn({ chat_thread_key: thread, error: messageOf(error) }, "delivery will be tried again");
        await backOff(failures, lease.signal);
        continue;
      }
      if (await deliveries.release(thread, owner, record.wakes)) return;
      lease.signal.throwIfAborted();
    }
  } catch (error) {
    await deliveries.release(thread, owner, null);
    throw error;
  } finally {
    lease.stop();
  }
}

async function deliverSession(
  deps: DeliverDeps,
  thread: ChatThreadKey,
  { sessionId, cursor }: ThreadRecord,
  signal: AbortSignal,
): Promise<void> {
  if (sessionId === null) return;
  const { client, surface } = deps;
  const poster = createTurnPoster({ ...deps, records: deps.records ?? null, thread, sessionId, signal });
  const news = followSession({
    client,
    sessionId,
    after: cursor,
    previews: surface.limits(thread).drafts !== "none",
    signal,
    ...(deps.quietMs !== undefined && { quietMs: deps.quietMs }),
  });
  try {
    await deliverNews(poster, news);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    await poster.sessionGone();
  } finally {
    poster.stop();
  }
}

/** Returns when everything that was committed is delivered, and nothing more comes unless people do something. */
async function deliverNews(poster: TurnPoster, news: ReturnType<typeof followSession>): Promise<void> {
  let caughtUp = false;
  for await (const item of news) {
    switch (item.type) {
      case "event": {
        const idle = await poster.event(item.event);
        if (idle && caughtUp) return;
        break;
      }
      case "preview":
        poster.preview(item.preview);
        break;
      case "caught_up":
        caughtUp = true;
        await poster.caughtUp();
        if (!poster.expects(item.queued)) return;
        break;
      case "contact_lost":
        poster.contactLost();
        break;
    }
  }
}
