import type { ModalView, PlainTextOption } from "@slack/types";
import { z } from "zod";

/** `callback_id` of the message shortcut. */
export const HAND_OVER_SHORTCUT = "deckhand_hand_over";
export const HAND_OVER_MODAL = "deckhand_hand_over_modal";

const AGENT_BLOCK = "agent";
const INSTRUCTION_BLOCK = "instruction";
const INPUT = "input";
const INSTRUCTION_CHARS_MAX = 3_000;
/** Slack's limits on a select. */
const OPTIONS_MAX = 100;
const OPTION_CHARS_MAX = 75;
/** No agent has this id. */
const DEFAULT_AGENT = "default";
const WITHOUT_WORDS = "Look at the message above and do what it asks for.";

const Carried = z.object({ team: z.string(), channel: z.string(), threadTs: z.string() });
/** The message that is handed over, by its thread. */
export type HandOverCarried = z.infer<typeof Carried>;

const Submission = z.looseObject({
  id: z.string(),
  private_metadata: z.string(),
  state: z.object({
    values: z.looseObject({
      [AGENT_BLOCK]: z
        .looseObject({ [INPUT]: z.looseObject({ selected_option: z.looseObject({ value: z.string() }).nullish() }) })
        .optional(),
      [INSTRUCTION_BLOCK]: z.looseObject({ [INPUT]: z.looseObject({ value: z.string().nullish() }) }),
    }),
  }),
});

export interface AgentOption {
  id: string;
  name: string;
}

/** Pure: asks what is to be done with a message, and by which agent where there is a choice. */
export function handOverModal(carried: HandOverCarried, agents: readonly AgentOption[]): ModalView {
  return {
    type: "modal",
    callback_id: HAND_OVER_MODAL,
    private_metadata: JSON.stringify(carried),
    title: { type: "plain_text", text: "Hand to Deckhand" },
    submit: { type: "plain_text", text: "Hand over" },
    close: { type: "plain_text", text: "Cancel" },
    blocks: [
      {
        type: "input",
        block_id: INSTRUCTION_BLOCK,
        optional: true,
        label: { type: "plain_text", text: "What should be done" },
        hint: { type: "plain_text", text: "The message and its thread, with their files, are read along." },
        element: {
          type: "plain_text_input",
          action_id: INPUT,
          multiline: true,
          max_length: INSTRUCTION_CHARS_MAX,
          focus_on_load: true,
        },
      },
      ...(agents.length > 0 ? [agentSelect(agents)] : []),
    ],
  };
}

/** Pure: what was submitted; `agentId` null for what the channel's policy names. @throws ZodError or SyntaxError for another view */
export function parseHandOver(
  view: unknown,
): HandOverCarried & { viewId: string; agentId: string | null; instruction: string } {
  const { id, private_metadata, state } = Submission.parse(view);
  const chosen = state.values[AGENT_BLOCK]?.[INPUT].selected_option?.value ?? DEFAULT_AGENT;
  return {
    ...Carried.parse(JSON.parse(private_metadata)),
    viewId: id,
    agentId: chosen === DEFAULT_AGENT ? null : chosen,
    instruction: state.values[INSTRUCTION_BLOCK][INPUT].value?.trim() || WITHOUT_WORDS,
  };
}

/** Pure: keeps the modal open with words at its first input. */
export function handOverRefused(words: string): { response_action: "errors"; errors: Record<string, string> } {
  return { response_action: "errors", errors: { [INSTRUCTION_BLOCK]: words } };
}

function agentSelect(agents: readonly AgentOption[]): ModalView["blocks"][number] {
  const usual = option("This channel's agent", DEFAULT_AGENT);
  return {
    type: "input",
    block_id: AGENT_BLOCK,
    label: { type: "plain_text", text: "Agent" },
    element: {
      type: "static_select",
      action_id: INPUT,
      initial_option: usual,
      options: [usual, ...agents.slice(0, OPTIONS_MAX - 1).map(({ id, name }) => option(name || id, id))],
    },
  };
}

function option(text: string, value: string): PlainTextOption {
  const chars = [...text];
  const shown = chars.length <= OPTION_CHARS_MAX ? text : `${chars.slice(0, OPTION_CHARS_MAX - 1).join("")}…`;
  return { text: { type: "plain_text", text: shown }, value };
}
