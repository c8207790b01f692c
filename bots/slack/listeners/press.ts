import type { RespondFn } from "@slack/bolt";
import { z } from "zod";
import { TerminalError } from "../../../src/errors.ts";

const SelectedOption = z.looseObject({ value: z.string() });

/** The press of a button of ours, as `block_actions` tells of it. */
export const Press = z
  .looseObject({
    user: z.looseObject({ id: z.string(), name: z.string().nullish(), username: z.string().nullish() }),
    trigger_id: z.string(),
    actions: z
      .array(
        z.looseObject({
          action_ts: z.string(),
          value: z.string().nullish(),
          selected_option: SelectedOption.nullish(),
        }),
      )
      .min(1),
  })
  .transform(({ user, trigger_id, actions: [action] }) => ({
    personId: user.id,
    personName: user.name ?? user.username ?? user.id,
    triggerId: trigger_id,
    actionTs: action?.action_ts ?? "",
    value: action?.value ?? action?.selected_option?.value ?? null,
  }));

export const TRY_AGAIN = "Something went wrong on my side, and nothing was changed. Try again in a moment.";

/**
 * Does what somebody asked for, and tells them alone when it failed. The failure goes on to Bolt, which logs it; what was not
 * acknowledged before stays so.
 */
export async function orTell(respond: RespondFn, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const text = error instanceof TerminalError ? error.message : TRY_AGAIN;
    // That there are no words any more must not hide what they were about.
    await tell(respond, text).catch(() => undefined);
    throw error;
  }
}

/** Words that the person alone sees, beside the message that was pressed. */
export async function tell(respond: RespondFn, text: string): Promise<void> {
  await respond({ response_type: "ephemeral", replace_original: false, text });
}
