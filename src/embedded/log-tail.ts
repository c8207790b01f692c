import { open } from "node:fs/promises";

const TAIL_BYTES = 4_000;

/** The last lines of a log file, from `start` at the earliest. */
export async function tailOf(file: string, start = 0): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const from = Math.max(start, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, from);
    return buffer.toString("utf8", 0, bytesRead).trimEnd();
  } finally {
    await handle.close();
  }
}
