import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startHeartbeat } from "../../src/harness/heartbeat.ts";
import { TurnSignals } from "../../src/harness/signals.ts";
import type { QueuedEvent } from "../../src/schemas/event.ts";
import { WakeupListeners } from "../../src/sessions/wakeup-listeners.ts";
import { SILENT } from "../support/silent-log.ts";

const LEASE_MS = 300;
const FENCE = { sessionId: "sesn_1", epoch: 1 };
const INTERRUPT: QueuedEvent = { id: "sevt_1", type: "user.interrupt", processed_at: null };

describe("a heartbeat", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function start({
    renew = async () => ({ queuedCount: 0 }),
    inbox = async () => [],
  }: {
    renew?: () => Promise<{ queuedCount: number } | null>;
    inbox?: () => Promise<QueuedEvent[]>;
  }) {
    const listeners = new WakeupListeners();
    const turn = { signals: new TurnSignals() };
    const heartbeat = await startHeartbeat(
      {
        leases: { renew },
        log: { inbox },
        wakeups: { subscribe: async (sessionId, listener) => listeners.add(sessionId, listener) },
        leaseMs: LEASE_MS,
        logger: SILENT,
      },
      FENCE,
      () => turn.signals,
    );
    return { heartbeat, turn, wake: () => listeners.wake({ sessionId: FENCE.sessionId, inbox: true }) };
  }

  it("cuts the turn when a wake-up leads to an interrupt in the inbox", async () => {
    const { turn, wake, heartbeat } = await start({ inbox: async () => [INTERRUPT] });
    wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(turn.signals.reason).toBe("interrupt");
    heartbeat.stop();
  });

  it("finds an interrupt whose wake-up was lost at the next renewal", async () => {
    const { turn, heartbeat } = await start({
      renew: async () => ({ queuedCount: 1 }),
      inbox: async () => [INTERRUPT],
    });
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    expect(turn.signals.interrupt.aborted).toBe(true);
    heartbeat.stop();
  });

  it("never cuts the next turn for an interrupt that was dealt with while it looked", async () => {
    const looked = Promise.withResolvers<QueuedEvent[]>();
    const { turn, wake, heartbeat } = await start({ inbox: () => looked.promise });
    const before = turn.signals;
    wake();
    turn.signals = new TurnSignals();
    looked.resolve([INTERRUPT]);
    await vi.advanceTimersByTimeAsync(0);
    expect(before.reason).toBe("interrupt");
    expect(turn.signals.reason).toBeNull();
    heartbeat.stop();
  });

  it("lets go when the lease is lost", async () => {
    const { turn, heartbeat } = await start({ renew: async () => null });
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    expect(turn.signals.reason).toBe("lease_lost");
    heartbeat.stop();
  });

  it("holds on through failed renewals, but not for longer than the lease lasts", async () => {
    const { turn, heartbeat } = await start({ renew: () => Promise.reject(new Error("database away")) });
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1);
    expect(turn.signals.reason).toBeNull();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(turn.signals.reason).toBe("lease_lost");
    heartbeat.stop();
  });

  it("renews nothing after it was stopped", async () => {
    const renew = vi.fn(async () => ({ queuedCount: 0 }));
    const { heartbeat } = await start({ renew });
    heartbeat.stop();
    await vi.advanceTimersByTimeAsync(LEASE_MS * 3);
    expect(renew).not.toHaveBeenCalled();
  });
});
