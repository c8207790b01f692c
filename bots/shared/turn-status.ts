import { messageOf, TerminalError } from "../../src/errors.ts";
import type { ChatMessage, MessageRef } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { keepStatus, type LiveStatus } from "./live-status.ts";
import { postOnce, type PostOnce } from "./post-once.ts";
import type { Turn, TurnEnd } from "./turn.ts";
import { statusMessage } from "./render.ts";

/** The one message that says how far a turn is, through everything the turn waits for. */
export interface TurnStatus {
  /** Makes sure that it is there: a new message for a new turn, the one it had for any other. Does without where the surface won't have it. */
  open(turn: Turn): Promise<void>;
  /** Shows how it is as soon as the surface's pace allows. Does nothing while it is not open. */
  show(turn: Turn): void;
  /** Shows it in any case, then is closed. `how` is null for a turn that waits. */
  close(turn: Turn, how: TurnEnd | null): Promise<void>;
  /** Closes it as it is. */
  stop(): void;
}

export function createTurnStatus(deps: DeliveryScope, once: PostOnce): TurnStatus {
  const { surface, log, thread, signal } = deps;
  let status: LiveStatus | null = null;
  /** The turn that has to do without. */
  let refused: string | null = null;

  const draw = (turn: Turn, how: TurnEnd | null): ChatMessage =>
    statusMessage(turn, how, surface.limits(thread).drafts === "status");
  const onError = (error: unknown) =>
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "status could not be updated");

  const postStatus = async (item: string, shown: ChatMessage): Promise<MessageRef | null> => {
    try {
      return await postOnce(once, item, (marker) => surface.post(thread, shown, marker, signal));
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.error({ chat_thread_key: thread, item, error: error.message }, "status refused by the surface");
      return null;
    }
  };

  return {
    async open(turn) {
      if (status || refused === turn.id) return;
      const shown = draw(turn, null);
      const ref = await postStatus(`status:${turn.id}`, shown);
      if (ref === null) refused = turn.id;
      else status = keepStatus({ surface, thread, ref, shown, signal, onError });
    },
    show: (turn) => status?.show(draw(turn, null)),
    async close(turn, how) {
      await status?.finish(draw(turn, how));
      status = null;
    },
    stop: () => status?.stop(),
  };
}
