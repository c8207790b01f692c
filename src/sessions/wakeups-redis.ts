import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { WakeupListeners } from "./wakeup-listeners.ts";
import type { Wakeup, Wakeups } from "./wakeups.ts";

/**
 * Wake-ups by Redis pub/sub, on one channel for all sessions.
 * @param prefix begins the channel's name, so that installations can share a server
 */
export async function connectRedisWakeups(url: string, prefix: string, log: Logger): Promise<Wakeups> {
  const channel = `${prefix}:wakeups`;
  const origin = randomUUID();
  const listeners = new WakeupListeners();
  const publisher = new Redis(url);
  const subscriber = new Redis(url, { autoResubscribe: false });
  let closed = false;
  const warn = (error: unknown) => log.warn({ error: messageOf(error) }, "wakeup connection failed");

  for (const connection of [publisher, subscriber]) connection.on("error", warn);
  subscriber.on("message", (_channel, payload) => {
    const { from, ...wakeup } = JSON.parse(payload) as Wakeup & { from: string };
    if (from !== origin) listeners.wake(wakeup);
  });
  try {
    await subscriber.subscribe(channel);
  } catch (error) {
    publisher.disconnect();
    subscriber.disconnect();
    throw error;
  }
  // What was published during a break is lost, up to the moment of the new subscription: only then is everybody woken.
  subscriber.on("ready", () => {
    subscriber.subscribe(channel).then(() => listeners.wakeAll(), warn);
  });

  return {
    publish(wakeup) {
      listeners.wake(wakeup);
      publisher.publish(channel, JSON.stringify({ ...wakeup, from: origin })).catch((error: unknown) => {
        if (!closed) log.warn({ error: messageOf(error) }, "wakeup not sent");
      });
    },
    async subscribe(sessionId, listener) {
      return listeners.add(sessionId, listener);
    },
    async close() {
      closed = true;
      listeners.clear();
      // A connection that is down has nobody to say goodbye to, and would wait for one.
      for (const connection of [publisher, subscriber]) {
        if (connection.status === "ready") await connection.quit().catch(warn);
        else connection.disconnect();
      }
    },
  };
}
