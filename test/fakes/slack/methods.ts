import type { Method } from "./method.ts";
import { agentMethods } from "./methods/agents.ts";
import { chatMethods } from "./methods/chat.ts";
import { conversationMethods } from "./methods/conversations.ts";
import { fileMethods } from "./methods/files.ts";
import { peopleMethods } from "./methods/people.ts";
import { reactionMethods } from "./methods/reactions.ts";
import { streamMethods } from "./methods/streams.ts";
import { viewMethods } from "./methods/views.ts";

export const METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    ...agentMethods,
    ...chatMethods,
    ...conversationMethods,
    ...fileMethods,
    ...peopleMethods,
    ...reactionMethods,
    ...streamMethods,
    ...viewMethods,
  }),
);
