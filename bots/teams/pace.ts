import { type ChatPlaceKey, teamOf } from "../shared/chat-place.ts";
import type { PaceLimit, PaceStore } from "../shared/pace-limit.ts";
import { takeSpareTurn, takeTurn } from "../shared/pace-turn.ts";

/** Keeps all workers together within what Teams lets a bot send. */
export interface TeamsPace {
  /**
   * Resolves when something may be sent to the place. `spare` gives way: it waits until others leave room, so that redrawing
   * a status never holds up an answer. Rejects with the signal's reason when that aborts.
   */
  turn(place: ChatPlaceKey, urgency: "normal" | "spare", signal: AbortSignal): Promise<void>;
  /** Whether something may be sent right now; takes the slot if so. For what is not worth waiting for. */
  roomNow(place: ChatPlaceKey): Promise<boolean>;
  /** Teams said to wait: no worker sends anything to the place before. */
  holdOff(place: ChatPlaceKey, forMs: number): Promise<void>;
}

/**
 * Microsoft: 7 in 1 s, 8 in 2 s, 60 in 30 s in a conversation. Four at once and one every 540 ms after that are at most 5, 7
 * and 59.
 */
const SOON = { intervalMs: 540, burst: 4 };
/** And 1,800 in an hour: 300 at once and one every 2.4 s. */
const HOURLY = { intervalMs: 2_400, burst: 300 };
/** An app in a tenant: 50 in 1 s. */
const TENANT = { intervalMs: 25, burst: 10 };

export function createTeamsPace(store: PaceStore): TeamsPace {
  return {
    async turn(place, urgency, signal) {
      signal.throwIfAborted();
      const { soon, hourly, tenant } = limitsOf(place);
      if (urgency === "normal") await takeTurn(store, [soon, hourly, tenant], signal);
      else {
        await takeSpareTurn(store, hourly, signal);
        await takeTurn(store, [soon, tenant], signal);
      }
      signal.throwIfAborted();
    },

    async roomNow(place) {
      const { soon, hourly } = limitsOf(place);
      return (await store.reserveSpare(soon)) <= 0 && (await store.reserveSpare(hourly)) <= 0;
    },

    holdOff: (place, forMs) => store.hold(limitsOf(place).soon, forMs),
  };
}

function limitsOf(place: ChatPlaceKey): Record<"soon" | "hourly" | "tenant", PaceLimit> {
  return {
    soon: { key: place, ...SOON },
    hourly: { key: `${place}#hour`, ...HOURLY },
    tenant: { key: `${teamOf(place)}#all`, ...TENANT },
  };
}
