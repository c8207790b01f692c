import type { InboundActivity } from "../inbound-activity.ts";
import { BEFORE_ANSWER_MS, type HandlerDeps } from "./handler-deps.ts";

/** The thumbs under an answer. Teams shows by itself which one was pressed. */
export async function onFeedback(
  { core, log }: HandlerDeps,
  { origin, activityId, value }: Extract<InboundActivity, { type: "feedback" }>,
): Promise<void> {
  const { thread, person } = origin;
  const answerId = await core.answerPostedAs(thread, activityId);
  if (answerId === null) {
    log.info({ chat_thread_key: thread }, "a post was rated that is no answer");
    return;
  }
  await core.rate({ thread, answerId, personId: person.id, value }, AbortSignal.timeout(BEFORE_ANSWER_MS));
}
