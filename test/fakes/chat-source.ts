import { RetryableError, TerminalError } from "../../src/errors.ts";
import type { ChatSource, EarlierMessage } from "../../bots/shared/chat-source.ts";
import type { Person } from "../../bots/shared/person.ts";

type Method = keyof ChatSource;

/** People, threads and files in memory, as a surface can be asked about them. Everybody is a member until told otherwise. */
export function createChatMemory() {
  const people = new Map<string, Partial<Person>>();
  const groups = new Map<string, Set<string>>();
  const threads = new Map<string, EarlierMessage[]>();
  const files = new Map<string, string>();
  const faults: { method: Method; error: Error }[] = [];
  const calls: Method[] = [];

  const called = (method: Method, signal: AbortSignal) => {
    signal.throwIfAborted();
    calls.push(method);
    const index = faults.findIndex((fault) => fault.method === method);
    const [fault] = index === -1 ? [] : faults.splice(index, 1);
    if (fault) throw fault.error;
  };

  const source: ChatSource = {
    async earlier(thread, before, limit, signal) {
      called("earlier", signal);
      const all = threads.get(thread) ?? [];
      const at = all.findIndex(({ messageId }) => messageId === before);
      return all.slice(0, at === -1 ? all.length : at).slice(-limit);
    },
    async open(_thread, { ref, filename }, signal) {
      called("open", signal);
      const content = files.get(ref);
      if (content === undefined) throw new TerminalError(`${filename} was deleted.`);
      return new Blob([content]);
    },
    async person(_thread, id, signal) {
      called("person", signal);
      return { id, name: id, email: null, kind: "member", ...people.get(id) };
    },
    async inGroup(_place, group, personId, signal) {
      called("inGroup", signal);
      return groups.get(group)?.has(personId) ?? false;
    },
    async linkTo(thread, signal) {
      called("linkTo", signal);
      return `https://chat.example/${thread}`;
    },
  };
  return {
    source,
    people,
    groups,
    files,
    calls,
    /** What the thread holds from now on. */
    say(thread: string, messageId: string, author: string, text: string, more: Partial<EarlierMessage> = {}) {
      const said = {
        messageId,
        author,
        text,
        byAgent: false,
        sentAt: Date.UTC(2026, 10, 22),
        attachments: [],
        ...more,
      };
      threads.set(thread, [...(threads.get(thread) ?? []), said]);
    },
    /** The next call of `method` fails. */
    fail: (method: Method, error: Error = new RetryableError("Busy.")) => void faults.push({ method, error }),
  };
}
