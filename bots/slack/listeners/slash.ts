import { setTimeout as delay } from "node:timers/promises";
import type { App } from "@slack/bolt";
import { z } from "zod";
import { TerminalError } from "../../../src/errors.ts";
import { parsePicked, PICK_ACTION, slashRendering } from "../blocks/slash-blocks.ts";
import { installedTeam } from "../installed-team.ts";
import { SLASH_COMMAND } from "../requirements.ts";
import { BEFORE_ACK_MS, type ListenerDeps } from "./listener-deps.ts";
import { orTell, Press } from "./press.ts";

/** A command's answer is no use to somebody who has long gone on. Slack takes it for 30 minutes. */
const ANSWER_WITHIN_MS = 60_000;

const Command = z.looseObject({
  user_id: z.string(),
  user_name: z.string().optional(),
  channel_id: z.string(),
  text: z.string().optional(),
  trigger_id: z.string(),
});

/** `/deckhand`, and the buttons by which its answer asks which thread is meant. Only the caller sees the answers. */
export function listenToSlash(app: App, { core }: ListenerDeps): void {
  app.command(SLASH_COMMAND, ({ command, ack, respond }) =>
    orTell(respond, async () => {
      const { user_id, user_name, channel_id, text, trigger_id } = Command.parse(command);
      const team = teamOrThrow(command);
      const reply = await acknowledgeInTime(
        ack,
        core.runSlash(
          {
            id: trigger_id,
            place: `slack:${team}:${channel_id}`,
            team: `slack:${team}`,
            person: { id: user_id, name: user_name ?? user_id },
            text: text ?? "",
          },
          AbortSignal.timeout(ANSWER_WITHIN_MS),
        ),
      );
      await respond({ response_type: "ephemeral", ...slashRendering(reply) });
    }),
  );

  app.action(PICK_ACTION, ({ body, ack, respond }) =>
    orTell(respond, async () => {
      const { value, personId, personName, actionTs } = Press.parse(body);
      const picked = parsePicked(value);
      const call = {
        id: `pick:${actionTs}`,
        team: `slack:${teamOrThrow(body)}` as const,
        person: { id: personId, name: personName },
        ...picked,
      };
      const reply = await acknowledgeInTime(ack, core.runPicked(call, AbortSignal.timeout(ANSWER_WITHIN_MS)));
      await respond({ response_type: "ephemeral", replace_original: true, ...slashRendering(reply) });
    }),
  );
}

/**
 * Acknowledges when the work is done, so that Slack tells the caller of a command that was lost with this process: it brings none
 * again. Work that takes longer goes on after the acknowledgement. Rejects as the work does, also when that fails before.
 */
async function acknowledgeInTime<Result>(ack: () => Promise<void>, work: Promise<Result>): Promise<Result> {
  const done = new AbortController();
  // It only ever rejects because it is called off.
  const late = delay(BEFORE_ACK_MS, undefined, { signal: done.signal, ref: false }).catch(() => undefined);
  await Promise.race([Promise.allSettled([work]), late]);
  done.abort();
  await ack();
  return await work;
}

function teamOrThrow(body: unknown): string {
  const team = installedTeam(body);
  if (team === null) throw new TerminalError("Slack did not say which workspace this is from.");
  return team;
}
