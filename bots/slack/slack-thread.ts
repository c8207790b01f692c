import { ChatThreadKeyError, parseChatThreadKey, type ChatThread, type ChatThreadKey } from "../shared/chat-thread.ts";

export type SlackThread = Extract<ChatThread, { surface: "slack" }>;

/** @throws ChatThreadKeyError when the thread is not in Slack */
export function slackThread(key: ChatThreadKey): SlackThread {
  const thread = parseChatThreadKey(key);
  if (thread.surface !== "slack") throw new ChatThreadKeyError(`${JSON.stringify(key)} is no thread of Slack.`);
  return thread;
}

/** Whether it is a conversation of one person with the app. */
export function isDirect(thread: SlackThread): boolean {
  return thread.channel.startsWith("D");
}
