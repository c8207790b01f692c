import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import { teamsThread } from "../teams-thread.ts";
import type { HandlerDeps } from "./handler-deps.ts";

/**
 * For the surface: somebody pressed the stop button that Teams itself shows beside an answer while it is streamed. The next
 * piece of that stream is then refused, and no activity tells of it. May be told several times of the same stream.
 */
export function createNativeStop({
  core,
  conversations,
}: {
  core: Pick<HandlerDeps["core"], "accept">;
  conversations: Pick<HandlerDeps["conversations"], "find">;
}) {
  return async (thread: ChatThreadKey, streamId: string): Promise<void> => {
    // Only personal chats have streams, so it was the one person who is there.
    const user = (await conversations.find(teamsThread(thread).place))?.ref.user;
    if (!user) return;
    const item = { type: "stop", personId: user.aadObjectId ?? user.id } as const;
    await core.accept({ thread, messageId: `stopped:${streamId}`, receiptId: null, item });
  };
}
