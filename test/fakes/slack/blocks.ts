import { z } from "zod";
import {
  accessory,
  actionElement,
  button,
  contextAction,
  image,
  inputElement,
  mrkdwn,
  plain,
  textObject,
} from "./block-elements.ts";

const block_id = z.string().min(1).max(255).optional();
const block = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.strictObject({ type: z.literal(type), block_id, ...shape });

const richText = block("rich_text", {
  elements: z.array(
    z.looseObject({
      type: z.enum(["rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"]),
    }),
  ),
});
const rawText = z.strictObject({ type: z.literal("raw_text"), text: z.string().min(1) });
const rawNumber = z.looseObject({ type: z.literal("raw_number") });
const cell = z.discriminatedUnion("type", [rawText, rawNumber, richText]);

/** As `@slack/types` 3.2 and the limits of Slack's block reference have them. */
const message = [
  block("section", {
    text: textObject(3000).optional(),
    fields: z.array(textObject(2000)).min(1).max(10).optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
  }),
  block("header", { text: plain(150), level: z.number().int().min(1).max(4).optional() }),
  block("divider", {}),
  block("context", {
    elements: z
      .array(z.union([image, textObject(2000)]))
      .min(1)
      .max(10),
  }),
  block("actions", { elements: z.array(actionElement).min(1).max(25) }),
  block("context_actions", { elements: z.array(contextAction).min(1).max(5) }),
  block("image", {
    image_url: z.url().max(3000).optional(),
    slack_file: z.strictObject({ id: z.string().optional(), url: z.url().optional() }).optional(),
    alt_text: z.string().max(2000),
    title: plain(2000).optional(),
  }),
  block("markdown", { text: z.string().min(1).max(12_000) }),
  block("table", {
    rows: z.array(z.array(cell).min(1).max(20)).min(1).max(100),
    column_settings: z
      .array(
        z
          .strictObject({ align: z.enum(["left", "center", "right"]).optional(), is_wrapped: z.boolean().optional() })
          .nullable(),
      )
      .max(20)
      .optional(),
  }),
  block("data_table", {
    rows: z.array(z.array(cell).min(1).max(20)).min(1).max(201),
    caption: z.string().min(1),
    page_size: z.number().int().min(1).optional(),
    row_header_column_index: z.number().int().min(0).optional(),
  }),
  richText,
  block("alert", {
    text: textObject(200),
    level: z.enum(["default", "info", "warning", "error", "success"]).optional(),
  }),
  block("card", {
    hero_image: image.optional(),
    icon: image.optional(),
    title: mrkdwn(150).optional(),
    subtitle: mrkdwn(150).optional(),
    body: mrkdwn(200).optional(),
    actions: z.array(button).max(3).optional(),
  }),
  block("task_card", {
    task_id: z.string().min(1),
    title: z.string().min(1),
    details: richText.optional(),
    output: richText.optional(),
    sources: z.array(z.looseObject({ type: z.literal("url") })).optional(),
    status: z.enum(["pending", "in_progress", "complete", "error"]),
  }),
  block("plan", { title: z.string().min(1), tasks: z.array(z.looseObject({})).max(50).optional() }),
] as const;

const input = block("input", {
  label: plain(2000),
  hint: plain(2000).optional(),
  optional: z.boolean().optional(),
  element: inputElement,
  dispatch_action: z.boolean().optional(),
});

export const messageBlock = z.discriminatedUnion("type", message);
export const viewBlock = z.discriminatedUnion("type", [...message, input]);
export type Block = z.infer<typeof viewBlock>;
