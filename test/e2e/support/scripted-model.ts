import { type MessagesApi, startMessagesApi } from "../../fakes/anthropic-messages.ts";
import { type Answer, says } from "../../fakes/messages-answer.ts";
import type { MessagesRequest } from "../../fakes/messages-request.ts";

/** An answer, or how it depends on how often it was asked for before: a model that is asked again need not repeat itself. */
export type ScriptedAnswer = Answer | ((attempt: number) => Answer);

export interface ScriptedModel extends MessagesApi {
  /**
   * What is answered, one after the other, in a turn that begins with a message of exactly these words. What a chat adds
   * below them does not count.
   */
  play(text: string, ...answers: ScriptedAnswer[]): void;
}

/** The fake Messages API with scripts by message. So a request that is made again, after a crash, finds its answer again. */
export async function startScriptedModel(options: { apiKey?: string } = {}): Promise<ScriptedModel> {
  const scripts = new Map<string, ScriptedAnswer[]>();
  const attempts = new Map<string, number>();

  const script = ({ messages }: MessagesRequest): Answer => {
    for (let at = messages.length - 1; at >= 0; at--) {
      const text = messages[at]?.role === "user" ? lastText(messages[at]) : undefined;
      const answers = text === undefined ? undefined : scripts.get(text);
      if (!answers) continue;
      const step = messages.slice(at + 1).filter(({ role }) => role === "assistant").length;
      const key = `${step} ${text}`;
      const attempt = attempts.get(key) ?? 0;
      attempts.set(key, attempt + 1);
      const answer = answers[step] ?? says("Done.");
      return typeof answer === "function" ? answer(attempt) : answer;
    }
    return says("Nothing is scripted for this.");
  };
  const api = await startMessagesApi({ ...options, script });
  return Object.assign(api, { play: (text: string, ...answers: ScriptedAnswer[]) => void scripts.set(text, answers) });
}

const CHAT_BLOCKS = /\s*<(attached_files|missing_files|author|thread_context)>\n[\s\S]*?\n<\/\1>/g;

function lastText(message: MessagesRequest["messages"][number] | undefined): string | undefined {
  const block = message?.content.at(-1);
  return block?.type === "text" ? block.text.replace(CHAT_BLOCKS, "") : undefined;
}
