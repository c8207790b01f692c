import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { OutputFile, Sandbox } from "../sandbox/sandbox.ts";
import type { KnownOutput, SessionFiles } from "./session-files.ts";

const RENDERED = /\.(xlsx|pptx|docx|pdf)$/i;

/** Files that are new or written since. Pure. */
export function changedOutputs(found: readonly OutputFile[], known: ReadonlyMap<string, KnownOutput>): OutputFile[] {
  return found.filter((file) => {
    const before = known.get(file.path);
    return before?.size !== file.size || before.mtimeNs !== file.mtimeNs;
  });
}

/**
 * Saves what the agent put below `/mnt/session/outputs` since the last time, office files with a picture of their first
 * page. A file that can't be read (it is being written, it was swapped for something else) is left for the next turn.
 */
export async function collectOutputs(
  sandbox: Sandbox,
  changed: readonly OutputFile[],
  files: SessionFiles,
  session: { sessionId: string; workspaceId: string },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const collected = await Promise.all(
    changed.map(async (file) => {
      try {
        const [content, preview] = await Promise.all([
          sandbox.readOutput(file, signal),
          RENDERED.test(file.path) ? sandbox.renderPreview(file.path, signal) : null,
        ]);
        return { file, content, preview };
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ session_id: session.sessionId, error: messageOf(error) }, "output file not collected");
        return null;
      }
    }),
  );
  for (const entry of collected) {
    if (!entry) continue;
    const { file, content, preview } = entry;
    await files.saveOutput({ ...session, path: file.path, mtimeNs: file.mtimeNs, content, preview });
  }
}
