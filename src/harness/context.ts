import type { ClientResultBlock } from "../schemas/content.ts";
import type { SessionEvent } from "../schemas/event.ts";
import type { ModelContent, ModelMessage } from "../models/model-provider.ts";
import type { LoggedEvent } from "../sessions/event-log.ts";
import { CompactedContext, ModelAnswer } from "./replay.ts";

/** The bytes of files that messages refer to, by file id; a file that is gone is missing here. */
export type ReferencedFiles = ReadonlyMap<string, { mediaType: string; data: string }>;

type UserContent = Extract<ModelMessage, { role: "user" }>["content"][number];

/**
 * The messages a model request holds, from a log that starts at the beginning or at a compaction. Pure.
 * Roles alternate, and the results of a call come first in the message that follows it, as model APIs demand.
 */
export function buildMessages(events: readonly LoggedEvent[], files: ReferencedFiles): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const logged of events) {
    const { event } = logged;
    switch (event.type) {
      case "user.message":
        for (const block of event.content) addUserContent(messages, toModelContent(block, files));
        break;
      case "user.interrupt":
        addUserContent(messages, { type: "text", text: "[The user stopped the work here.]" });
        break;
      case "agent.tool_result":
        addUserContent(messages, {
          type: "tool_result",
          toolUseId: event.tool_use_id,
          content: event.content.map((block) => toModelContent(block, files)),
          isError: event.is_error,
        });
        break;
      case "user.custom_tool_result":
        addUserContent(messages, {
          type: "tool_result",
          toolUseId: event.custom_tool_use_id,
          content: (event.content ?? []).map((block) => toModelContent(block, files)),
          isError: event.is_error ?? false,
        });
        break;
      case "span.model_request_end":
        addAnswer(messages, logged.private);
        break;
      case "agent.thread_context_compacted":
        messages.length = 0;
        addUserContent(messages, { type: "text", text: CompactedContext.parse(logged.private).summary });
        break;
      default:
    }
  }
  return messages;
}

/** Ids of all files whose bytes `buildMessages` will look for. */
export function referencedFileIds(events: readonly LoggedEvent[]): string[] {
  const ids = events.flatMap(({ event }) =>
    contentOf(event).flatMap((block) =>
      "source" in block && typeof block.source !== "string" && block.source.type === "file"
        ? [block.source.file_id]
        : [],
    ),
  );
  return [...new Set(ids)];
}

function contentOf(event: SessionEvent): readonly ClientResultBlock[] {
  if (event.type === "user.message" || event.type === "agent.tool_result") return event.content;
  return event.type === "user.custom_tool_result" ? (event.content ?? []) : [];
}

function addUserContent(messages: ModelMessage[], content: UserContent): void {
  const last = messages.at(-1);
  if (last?.role === "user") last.content.push(content);
  else messages.push({ role: "user", content: [content] });
}

/** A request that failed or was stopped left no answer. */
function addAnswer(messages: ModelMessage[], hidden: unknown): void {
  if (hidden === null || hidden === undefined) return;
  const { content } = ModelAnswer.parse(hidden);
  if (content.length > 0) messages.push({ role: "assistant", content });
}

function toModelContent(block: ClientResultBlock, files: ReferencedFiles): ModelContent {
  if (block.type === "text") return block;
  if (block.type === "search_result") {
    return { type: "text", text: [block.title, block.source, ...block.content.map(({ text }) => text)].join("\n") };
  }
  const title = block.type === "document" && block.title ? { title: block.title } : {};
  switch (block.source.type) {
    case "base64":
      return { type: block.type, mediaType: block.source.media_type, data: block.source.data, ...title };
    case "text":
      return { type: "text", text: block.source.data };
    case "url":
      return { type: "text", text: `[A ${block.type} at ${block.source.url}, which was not fetched.]` };
    case "file": {
      const file = files.get(block.source.file_id);
      if (!file) return { type: "text", text: `[The file ${block.source.file_id} is no longer there.]` };
      return { type: block.type, mediaType: file.mediaType, data: file.data, ...title };
    }
  }
}
