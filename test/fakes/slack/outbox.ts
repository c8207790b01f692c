import { type Delivery, type DeliveryKind, deliver, type Retries, type Transport } from "./delivery.ts";
import { eventCallback, subscriptionOf } from "./events.ts";
import type { Channel, Installation, World } from "./world.ts";

/** What was sent to the app. */
export interface Sent {
  deliveries: Delivery[];
  /** Resolves when the app has taken all of it, or Slack has given up on it. Never rejects. */
  done: Promise<void>;
}

export interface Outbox {
  /** To each installation that subscribed and, in a channel, whose bot is a member. */
  event(channel: Channel | null, event: Record<string, unknown>, options?: EventTarget): Sent;
  /** Sends a press, a command or a view's submission, or an event's callback as it is. */
  send(kind: DeliveryKind, payload: Record<string, unknown>): Sent;
  /** Sends it once more, as Slack does when it lost the acknowledgement: same event id, the retry's headers. */
  redeliver(delivery: Delivery): Promise<void>;
  readonly sent: readonly Delivery[];
}

export interface EventTarget {
  /** Only for this one. */
  installation?: Installation;
  teamId?: string;
}

export interface OutboxOptions {
  world: World;
  appId: string;
  events: ReadonlySet<string>;
  retries: Retries;
  /** Null while the app has told no place to deliver to. */
  transport(): Transport | null;
  changed(): void;
  signal: AbortSignal;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { world, appId, events, retries, transport, changed, signal } = options;
  const sent: Delivery[] = [];

  const send = (kind: DeliveryKind, payload: Record<string, unknown>): Sent => {
    const delivery: Delivery = { kind, payload, attempts: [], acked: false };
    const via = transport();
    if (!via) return { deliveries: [], done: Promise.resolve() };
    sent.push(delivery);
    return { deliveries: [delivery], done: deliver(via, delivery, retries, signal).finally(changed) };
  };

  return {
    sent,
    send,
    event(channel, event, { installation: only, teamId } = {}) {
      if (!events.has(subscriptionOf(event, channel))) return together([]);
      const receivers = world.installations.filter(
        (each) => (!only || each === only) && !each.removed && (!channel || channel.members.includes(each.botUserId)),
      );
      return together(
        receivers.map((installation) =>
          send("event", eventCallback({ world, appId, installation, channel, event, teamId: teamId ?? null })),
        ),
      );
    },
    async redeliver({ kind, payload }) {
      const via = transport();
      await via?.({ kind, payload, retry: { num: 1, reason: "http_timeout" } }, signal);
      changed();
    },
  };
}

export function together(parts: readonly Sent[]): Sent {
  return {
    deliveries: parts.flatMap(({ deliveries }) => deliveries),
    done: Promise.all(parts.map(({ done }) => done)).then(() => undefined),
  };
}
