import { z } from "zod";

const ACTION_ID_CHARS_MAX = 255;
const URL_CHARS_MAX = 3000;

export const plain = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
export const textObject = (max: number) => z.discriminatedUnion("type", [plain(max), mrkdwn(max)]);
export { mrkdwn };

const actionId = z.string().min(1).max(ACTION_ID_CHARS_MAX);
const confirm = z
  .strictObject({
    title: plain(100),
    text: textObject(300),
    confirm: plain(30),
    deny: plain(30),
    style: z.enum(["primary", "danger"]).optional(),
  })
  .optional();
const option = z.strictObject({
  text: textObject(75),
  value: z.string().max(150),
  description: textObject(75).optional(),
  url: z.url().max(URL_CHARS_MAX).optional(),
});
const optionGroup = z.strictObject({ label: plain(75), options: z.array(option).min(1).max(100) });
const placeholder = plain(150).optional();
const focus = { focus_on_load: z.boolean().optional() };

export const button = z.strictObject({
  type: z.literal("button"),
  text: plain(75),
  action_id: actionId,
  url: z.url().max(URL_CHARS_MAX).optional(),
  value: z.string().max(2000).optional(),
  style: z.enum(["primary", "danger"]).optional(),
  confirm,
  accessibility_label: z.string().max(75).optional(),
});

export const image = z.strictObject({
  type: z.literal("image"),
  image_url: z.url().max(URL_CHARS_MAX).optional(),
  slack_file: z.strictObject({ id: z.string().optional(), url: z.url().optional() }).optional(),
  alt_text: z.string().max(2000),
});

const staticSelect = z.strictObject({
  type: z.literal("static_select"),
  action_id: actionId,
  options: z.array(option).min(1).max(100).optional(),
  option_groups: z.array(optionGroup).min(1).max(100).optional(),
  initial_option: option.optional(),
  placeholder,
  confirm,
  ...focus,
});

const dynamicSelect = z.strictObject({
  type: z.enum(["users_select", "conversations_select", "channels_select"]),
  action_id: actionId,
  initial_user: z.string().optional(),
  initial_conversation: z.string().optional(),
  initial_channel: z.string().optional(),
  default_to_current_conversation: z.boolean().optional(),
  response_url_enabled: z.boolean().optional(),
  filter: z.record(z.string(), z.unknown()).optional(),
  placeholder,
  confirm,
  ...focus,
});

const multiSelect = z.strictObject({
  type: z.enum(["multi_users_select", "multi_conversations_select", "multi_channels_select", "multi_static_select"]),
  action_id: actionId,
  options: z.array(option).min(1).max(100).optional(),
  option_groups: z.array(optionGroup).min(1).max(100).optional(),
  initial_users: z.array(z.string()).optional(),
  initial_conversations: z.array(z.string()).optional(),
  initial_channels: z.array(z.string()).optional(),
  initial_options: z.array(option).min(1).optional(),
  max_selected_items: z.number().int().min(1).optional(),
  placeholder,
  confirm,
  ...focus,
});

const overflow = z.strictObject({
  type: z.literal("overflow"),
  action_id: actionId,
  options: z.array(option).min(1).max(5),
  confirm,
});

const choices = z.strictObject({
  type: z.enum(["radio_buttons", "checkboxes"]),
  action_id: actionId,
  options: z.array(option).min(1).max(10),
  initial_option: option.optional(),
  initial_options: z.array(option).min(1).optional(),
  confirm,
  ...focus,
});

const textInput = z.strictObject({
  type: z.literal("plain_text_input"),
  action_id: actionId,
  placeholder,
  initial_value: z.string().max(3000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.number().int().min(0).max(3000).optional(),
  max_length: z.number().int().min(1).max(3000).optional(),
  ...focus,
});

const feedback = z.strictObject({
  text: plain(75),
  value: z.string().max(2000),
  accessibility_label: z.string().max(75).optional(),
});
const feedbackButtons = z.strictObject({
  type: z.literal("feedback_buttons"),
  action_id: actionId,
  positive_button: feedback,
  negative_button: feedback,
});
const iconButton = z.strictObject({
  type: z.literal("icon_button"),
  icon: z.literal("trash"),
  text: plain(75),
  action_id: actionId,
  value: z.string().max(2000).optional(),
  confirm,
  accessibility_label: z.string().max(75).optional(),
  visible_to_user_ids: z.array(z.string()).optional(),
});

export const actionElement = z.discriminatedUnion("type", [
  button,
  staticSelect,
  dynamicSelect,
  multiSelect,
  overflow,
  choices,
]);
export const accessory = z.discriminatedUnion("type", [
  button,
  image,
  staticSelect,
  dynamicSelect,
  multiSelect,
  overflow,
  choices,
]);
export const contextAction = z.discriminatedUnion("type", [feedbackButtons, iconButton]);
export const inputElement = z.discriminatedUnion("type", [
  textInput,
  staticSelect,
  dynamicSelect,
  multiSelect,
  choices,
]);
