import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type OutputFile, type Sandbox, SandboxLostError } from "../sandbox/sandbox.ts";
import { renderAhead } from "./render-ahead.ts";
import type { KnownOutput, SessionFiles } from "./session-files.ts";

/** Of one turn. A person looks through no more of them, and the worker has other sessions to serve. */
export const TURN_FILES_MAX = 100;
export const TURN_BYTES_MAX = 1024 * 1024 * 1024;

/** Files that are new or written since. Pure. */
export function changedOutputs(found: readonly OutputFile[], known: ReadonlyMap<string, KnownOutput>): OutputFile[] {
  return found.filter((file) => {
    const before = known.get(file.path);
    return before?.size !== file.size || before.mtimeNs !== file.mtimeNs;
  });
}

/**
 * Saves what the agent put below `/mnt/session/outputs` since the last time, office files with a picture of their first
 * page. One file after the other, and never the whole of one in memory. A file that can't be read (it is being written,
 * it was swapped for something else) is left for the next turn, and so is what goes beyond the limits of one turn.
 * @throws SandboxLostError, what `files` throws, or the signal's reason
 */
export async function collectOutputs(
  sandbox: Sandbox,
  changed: readonly OutputFile[],
  files: SessionFiles,
  session: { sessionId: string; workspaceId: string },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const taken = withinLimits(changed);
  const leftOut = changed.length - taken.length;
  if (leftOut > 0) {
    log.warn({ session_id: session.sessionId, left_out: leftOut }, "too many or too large output files for one turn");
  }
  const previews = renderAhead(sandbox, taken, signal);
  try {
    for (const file of taken) {
      try {
        const preview = await previews.take(file).catch(asUnread);
        const content = partsOf(sandbox.readOutput(file, signal));
        await files.saveOutput({ ...session, path: file.path, mtimeNs: file.mtimeNs, content, preview });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof UnreadOutputError)) throw error;
        if (error.cause instanceof SandboxLostError) throw error.cause;
        log.warn({ session_id: session.sessionId, error: error.message }, "output file not collected");
      }
    }
  } finally {
    previews.stop();
  }
}

/** What went wrong is the sandbox's doing, as opposed to the store's. */
class UnreadOutputError extends Error {
  override readonly name = "UnreadOutputError";
}

function asUnread(error: unknown): never {
  throw new UnreadOutputError(messageOf(error), { cause: error });
}

async function* partsOf(output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* output;
  } catch (error) {
    asUnread(error);
  }
}

/** As many of the files, in their order, as one turn may bring. A smaller one may pass one that is too large. Pure. */
function withinLimits(files: readonly OutputFile[]): OutputFile[] {
  const taken: OutputFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (taken.length === TURN_FILES_MAX || bytes + file.size > TURN_BYTES_MAX) continue;
    bytes += file.size;
    taken.push(file);
  }
  return taken;
}
