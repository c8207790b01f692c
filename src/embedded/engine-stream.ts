import { createInterface } from "node:readline";
import { z } from "zod";

const OUTPUT_LINES_KEPT = 40;

const Message = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
});

/**
 * Reads what the engine says during a build, pull or import, to the end. Rejects when the engine reports an error, with
 * the last lines before it; when it says nothing for `silenceMaxMs`; and with the signal's reason.
 */
export async function followEngineStream(
  stream: NodeJS.ReadableStream,
  { silenceMaxMs, signal }: { silenceMaxMs: number; signal: AbortSignal },
  onLine: (line: string) => void,
): Promise<void> {
  const lines = createInterface({ input: stream });
  const ending = new AbortController();
  const onAbort = () => ending.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const watchdog = setTimeout(() => {
    ending.abort(new Error(`The Docker engine said nothing for ${silenceMaxMs / 1000} s.`));
  }, silenceMaxMs);
  // The classic builder stops when its client is gone.
  ending.signal.addEventListener("abort", () => {
    if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
    lines.close();
  });

  const recent: string[] = [];
  try {
    for await (const line of lines) {
      watchdog.refresh();
      const message = Message.parse(JSON.parse(line));
      if (message.error) throw new Error([...recent, message.error].join("\n"));
      const text = (message.stream ?? message.status ?? "").trimEnd();
      if (!text) continue;
      recent.push(text);
      if (recent.length > OUTPUT_LINES_KEPT) recent.shift();
      onLine(text);
    }
    ending.signal.throwIfAborted();
  } catch (error) {
    ending.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", onAbort);
  }
}
