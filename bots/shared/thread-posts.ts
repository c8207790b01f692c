import { TerminalError } from "../../src/errors.ts";
import type { StreamedAnswers } from "./answer-stream.ts";
import type { ChatMessage, MessageRef, WordsMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { postOnce, type PostOnce } from "./post-once.ts";
import { answerMessages } from "./render.ts";

/**
 * What delivery posts in a thread: each item once. Content that the surface will never take is logged and left out, since the
 * rest of the turn still has to come through.
 */
export interface ThreadPosts {
  once: PostOnce;
  post(item: string, message: ChatMessage): Promise<void>;
  /** In as many messages as it takes; the first is the one that showed the answer while it was written. */
  postAnswer(answerId: string, markdown: string, streamed: StreamedAnswers | null): Promise<void>;
}

export function createThreadPosts({ surface, store, log, thread, signal }: DeliveryScope): ThreadPosts {
  const once: PostOnce = { surface, deliveries: store.deliveries, thread, signal };

  const postBy = async (item: string, make: (marker: string) => Promise<MessageRef>) => {
    try {
      return await postOnce(once, item, make);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.error({ chat_thread_key: thread, item, error: error.message }, "message refused by the surface");
      return null;
    }
  };

  const post = async (item: string, message: ChatMessage) => {
    await postBy(item, (marker) => surface.post(thread, message, marker, signal));
  };

  const postStreamed = async (item: string, answerId: string, message: WordsMessage, streamed: StreamedAnswers) => {
    const ref = await postBy(item, (marker) => streamed.post(answerId, message, marker));
    if (ref !== null) await streamed.posted(answerId, ref);
  };

  return {
    once,
    post,
    async postAnswer(answerId, markdown, streamed) {
      const messages = answerMessages(answerId, markdown, surface.limits(thread).markdownCharsMax);
      for (const [index, message] of messages.entries()) {
        const item = `answer:${answerId}:${index}`;
        if (index === 0 && streamed) await postStreamed(item, answerId, message, streamed);
        else await post(item, message);
      }
    },
  };
}
