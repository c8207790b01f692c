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
  const subscriber = new Redis(url);
  let closed = false;

  for (const connection of [publisher, subscriber]) {
    connection.on("error", (error) => log.warn({ error: messageOf(error) }, "wakeup connection failed"));
  }
  subscriber.on("message", (_channel, payload) => {
    const { from, ...wakeup } = JSON.parse(payload) as Wakeup & { from: string };
    if (from !== origin) listeners.wake(wakeup);
  });
  await subscriber.subscribe(channel);
  // ioredis subscribes again by itself after a break; what was published meanwhile is lost.
  subscriber.on("ready", () => listeners.wakeAll());

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
      await Promise.all([publisher.quit(), subscriber.quit()]);
    },
  };
}
