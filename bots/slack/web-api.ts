import type { WebClient } from "@slack/web-api";
import type { z } from "zod";
import { RetryableError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { rateLimitMs, slackError, SlackRefusedError } from "./errors.ts";
import type { Pace, PacedCall } from "./pace.ts";
import type { SlackWorkspace, SlackWorkspaces } from "./slack-workspaces.ts";
import { untilAborted } from "../shared/until-aborted.ts";

/** The one way out to Slack's Web API. */
export interface SlackApi {
  /**
   * Makes one call when the pace allows it, with a time limit, and reads the answer.
   *
   * Rejects with SlackRefusedError when Slack says no, RetryableError when it may say yes later, TerminalError when the app
   * is not installed there, and with the signal's reason when that aborts. A call that timed out or was aborted may still
   * have had its effect.
   */
  call<Answer>(
    call: SlackCall,
    make: (client: WebClient, workspace: SlackWorkspace) => Promise<unknown>,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Like `call` for what is not worth waiting for: null when the pace has no room right now. */
  callIfRoom<Answer>(
    call: SlackCall,
    make: (client: WebClient, workspace: SlackWorkspace) => Promise<unknown>,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer | null>;
  workspace(team: string): Promise<SlackWorkspace>;
}

/** What is called, as the pace counts it. */
export type SlackCall = Omit<PacedCall, "urgency" | "channel"> & Partial<Pick<PacedCall, "urgency" | "channel">>;

export interface SlackApiDeps {
  workspaces: SlackWorkspaces;
  pace: Pace;
  /** Hears what Slack refused, and why. */
  log: Logger;
}

const CALL_TIMEOUT_MS = 30_000;

export function createSlackApi({ workspaces, pace, log }: SlackApiDeps): SlackApi {
  const send: SlackApi["call"] = async (call, make, answer, signal) => {
    signal.throwIfAborted();
    const workspace = await workspaces.of(call.team);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    try {
      return answer.parse(await untilAborted(make(workspace.client, workspace), limit));
    } catch (error) {
      signal.throwIfAborted();
      const sorted = limit.aborted
        ? new RetryableError("Slack did not answer in time.", { cause: error })
        : slackError(error);
      const { team, method } = call;
      if (sorted instanceof SlackRefusedError)
        log.info({ team, method, slack_error: sorted.slackError, problems: sorted.problems }, "slack refused a call");
      const holdMs = rateLimitMs(sorted);
      if (holdMs !== null) await pace.holdOff(pacedCall(call), holdMs);
      throw sorted;
    }
  };

  return {
    async call(call, make, answer, signal) {
      await pace.turn(pacedCall(call), signal);
      return await send(call, make, answer, signal);
    },
    async callIfRoom(call, make, answer, signal) {
      signal.throwIfAborted();
      return (await pace.spareNow(pacedCall(call))) ? await send(call, make, answer, signal) : null;
    },
    workspace: (team) => workspaces.of(team),
  };
}

function pacedCall(call: SlackCall): PacedCall {
  return { urgency: "normal", channel: null, ...call };
}
