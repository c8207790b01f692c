const REDRAW_INTERVAL_MS = 100;
const QUIET_INTERVAL_MS = 15_000;
const BAR_CELLS = 24;
const CLEAR_LINE = "\r\u001b[K";

/** `done` of `total`, in any unit. */
export type Report = (done: number, total: number) => void;

/** Tells a person what takes so long. */
export interface Progress {
  /** Shows `what`, the time it has taken and, once `report` was called, a bar, until `work` ends. Passes its outcome on. */
  track<Result>(what: string, work: (report: Report) => Promise<Result>): Promise<Result>;
}

export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/**
 * On a terminal one line that is redrawn; elsewhere a line at the start, one at the end, and one every 15 s between.
 * Steps may run side by side; a terminal then shows the latest.
 */
export function createProgress(stream: ProgressStream): Progress {
  return {
    async track(what, work) {
      const step = { what, startedAt: performance.now(), share: null as number | null };
      const show = stream.isTTY ? () => stream.write(CLEAR_LINE + fit(lineOf(step), stream.columns)) : null;
      if (!show) stream.write(`${what} ...\n`);
      const timer = setInterval(
        show ?? (() => stream.write(`${lineOf(step)}\n`)),
        show ? REDRAW_INTERVAL_MS : QUIET_INTERVAL_MS,
      );
      timer.unref();
      show?.();
      const end = (mark: string) => {
        clearInterval(timer);
        stream.write(`${show ? CLEAR_LINE : ""}${mark} ${what} (${elapsed(step.startedAt)})\n`);
      };
      try {
        const result = await work((done, total) => {
          step.share = total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
        });
        end("✓");
        return result;
      } catch (error) {
        end("✗");
        throw error;
      }
    },
  };
}

/** For whoever watches by other means. */
export const silentProgress: Progress = { track: (_what, work) => work(() => {}) };

interface Step {
  what: string;
  startedAt: number;
  share: number | null;
}

function lineOf({ what, startedAt, share }: Step): string {
  const parts = [what, elapsed(startedAt)];
  if (share !== null) {
    const full = Math.round(share * BAR_CELLS);
    parts.push(`[${"█".repeat(full)}${"░".repeat(BAR_CELLS - full)}] ${Math.floor(share * 100)} %`);
  }
  return parts.join("  ");
}

/** A line that wraps can't be redrawn. */
function fit(line: string, columns = 80): string {
  return line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
}

function elapsed(since: number): string {
  const seconds = (performance.now() - since) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
