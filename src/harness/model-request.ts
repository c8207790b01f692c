import type { ModelInfo, ModelProvider, ModelRequest } from "../models/model-provider.ts";
import { buildMessages, referencedFileIds, type ReferencedFiles } from "./context.ts";
import type { SessionFiles } from "./session-files.ts";
import type { SessionSandbox } from "./session-sandbox.ts";
import { systemPrompt } from "./system-prompt.ts";
import { modelTools, usesSandbox } from "./toolset.ts";
import type { Turn } from "./turn.ts";

/** Finds who serves a model id; null when nobody does. */
export type FindModel = (id: string) => { provider: ModelProvider; info: ModelInfo } | null;

/** The request for the turn as it stands, with the bytes of the files that messages refer to. */
export async function buildRequest(
  turn: Turn,
  info: ModelInfo,
  files: Pick<SessionFiles, "load">,
  sandbox: Pick<SessionSandbox, "equipment">,
): Promise<ModelRequest> {
  const { agent, workspaceId } = turn.lease;
  const referenced = await loadReferenced(turn, workspaceId, files);
  return {
    model: info.id,
    effort: agent.model.effort.type,
    system: systemPrompt(agent.system, usesSandbox(agent) ? await sandbox.equipment() : null),
    messages: buildMessages(turn.events, referenced),
    tools: modelTools(agent),
    maxTokens: info.maxOutputTokens,
  };
}

async function loadReferenced(
  turn: Turn,
  workspaceId: string,
  files: Pick<SessionFiles, "load">,
): Promise<ReferencedFiles> {
  const loaded = new Map<string, { mediaType: string; data: string }>();
  for (const id of referencedFileIds(turn.events)) {
    const file = await files.load(workspaceId, id);
    if (file) loaded.set(id, file);
  }
  return loaded;
}
