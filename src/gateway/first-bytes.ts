import type { Duplex } from "node:stream";

const FIRST_BYTES_TIMEOUT_MS = 15_000;
/** No beginning that anybody here asks for is longer. */
const BYTES_MAX = 32_768;

/**
 * Reads the beginning of what a client sends, until it is enough, and pauses the connection there.
 * @param head what has come already
 * @returns all that has come; null when the client ended, sent nothing for long, or more than anybody needs
 */
export async function firstBytes(
  socket: Duplex,
  head: Buffer,
  isEnough: (bytes: Buffer) => boolean,
): Promise<Buffer | null> {
  if (isEnough(head)) return head;
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  let bytes = head;
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (isEnough(bytes)) resolve(bytes);
    else if (bytes.length > BYTES_MAX) resolve(null);
  };
  const stop = () => resolve(null);
  const timer = setTimeout(stop, FIRST_BYTES_TIMEOUT_MS);
  socket.on("data", read).once("end", stop).once("close", stop);
  try {
    return await promise;
  } finally {
    socket.pause();
    clearTimeout(timer);
    socket.removeListener("data", read).removeListener("end", stop).removeListener("close", stop);
  }
}
