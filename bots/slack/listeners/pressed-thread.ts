import { z } from "zod";
import { chatThreadKey, type ChatThreadKey } from "../../shared/chat-thread.ts";
import { installedTeam } from "../installed-team.ts";

const PressedMessage = z.looseObject({
  channel: z.looseObject({ id: z.string() }),
  message: z.looseObject({ ts: z.string(), thread_ts: z.string().nullish() }),
});

/** Pure: the thread of the message whose button was pressed, or that a shortcut was used on. @throws ZodError when there is none */
export function pressedThread(body: unknown): ChatThreadKey {
  const { channel, message } = PressedMessage.parse(body);
  const team = installedTeam(body) ?? "";
  return chatThreadKey({
    surface: "slack",
    team,
    channel: channel.id,
    threadTs: message.thread_ts || message.ts,
  });
}
