import type { OutputFile, Sandbox } from "../sandbox/sandbox.ts";

const RENDERED = /\.(xlsx|pptx|docx|pdf)$/i;
/** LibreOffice is heavy. Pictures that nobody has taken yet count as well: they are held in memory. */
const AHEAD_MAX = 2;

export interface RenderAhead {
  /** The file's picture; null when its kind has none. To be asked in the order of the files, once for each. */
  take(file: OutputFile): Promise<Buffer | null>;
  /** Ends what is still being rendered. */
  stop(): void;
}

/** Renders pictures of office files while others are read: the next two, in the order of `files`. */
export function renderAhead(
  sandbox: Pick<Sandbox, "renderPreview">,
  files: readonly OutputFile[],
  signal: AbortSignal,
): RenderAhead {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  const waiting = files.filter(({ path }) => RENDERED.test(path));
  const begun = new Map<string, Promise<Buffer | null>>();

  const beginNext = () => {
    const file = waiting.shift();
    if (!file) return;
    const rendering = sandbox.renderPreview(file.path, either);
    rendering.catch(() => {}); // whoever takes it gets the error; one that is stopped has no taker
    begun.set(file.path, rendering);
  };
  for (let ahead = 0; ahead < AHEAD_MAX; ahead++) beginNext();

  return {
    async take({ path }) {
      const rendering = begun.get(path);
      if (!rendering) return null;
      try {
        return await rendering;
      } finally {
        begun.delete(path);
        beginNext();
      }
    },
    stop: () => stopping.abort(),
  };
}
