import type { ModalView } from "@slack/types";
import { z } from "zod";

export const DENY_MODAL = "deckhand_deny_reason";

const REASON_BLOCK = "reason";
const REASON_INPUT = "text";
const REASON_CHARS_MAX = 1_000;

/** What a modal takes with it from the button to the submission. */
const Carried = z.object({ toolUseId: z.string(), thread: z.string() });
export type DenyCarried = z.infer<typeof Carried>;

const Submission = z.looseObject({
  id: z.string(),
  private_metadata: z.string(),
  state: z.object({
    values: z.looseObject({
      [REASON_BLOCK]: z.looseObject({ [REASON_INPUT]: z.looseObject({ value: z.string().nullish() }) }),
    }),
  }),
});

/** Pure: asks why a tool call may not run. */
export function denyModal(carried: DenyCarried): ModalView {
  return {
    type: "modal",
    callback_id: DENY_MODAL,
    private_metadata: JSON.stringify(carried),
    title: { type: "plain_text", text: "Deny" },
    submit: { type: "plain_text", text: "Deny" },
    close: { type: "plain_text", text: "Cancel" },
    blocks: [
      {
        type: "input",
        block_id: REASON_BLOCK,
        optional: true,
        label: { type: "plain_text", text: "Why, or what to do instead" },
        hint: { type: "plain_text", text: "The agent reads it and goes on accordingly." },
        element: {
          type: "plain_text_input",
          action_id: REASON_INPUT,
          multiline: true,
          max_length: REASON_CHARS_MAX,
          focus_on_load: true,
        },
      },
    ],
  };
}

/** Pure: what was submitted. @throws ZodError or SyntaxError when the view is not ours */
export function parseDenial(view: unknown): DenyCarried & { viewId: string; reason: string | null } {
  const { id, private_metadata, state } = Submission.parse(view);
  const reason = state.values[REASON_BLOCK][REASON_INPUT].value?.trim() ?? "";
  return { ...Carried.parse(JSON.parse(private_metadata)), viewId: id, reason: reason === "" ? null : reason };
}

/** Pure: keeps the modal open with words at its input. */
export function denialRefused(words: string): { response_action: "errors"; errors: Record<string, string> } {
  return { response_action: "errors", errors: { [REASON_BLOCK]: words } };
}
