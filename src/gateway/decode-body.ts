import type { Duplex, Readable } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

/** 8 MiB, as RFC 9659 has it. More would be 128 MiB for each of the connections that a sandbox may have. */
const ZSTD_WINDOW = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const DECODERS = new Map<string, () => Duplex>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", () => createZstdDecompress(ZSTD_WINDOW)],
]);
/** From here on a body that grows beyond the ratio is made to do harm. */
const GUARDED_FROM_BYTES = 64 * 1024 * 1024;
const RATIO_MAX = 250;

/** Encoded in a way that nobody can look into here. */
export class UnreadableEncodingError extends Error {
  override readonly name = "UnreadableEncodingError";
}

/** Whether `content-encoding` says that a body has to be decoded before it can be read. */
export const isEncoded = (contentEncoding: string | undefined): boolean =>
  !["", "identity"].includes((contentEncoding ?? "").trim().toLowerCase());

/**
 * The bytes of a body before it was encoded; piece by piece, as they come in. Fails when it is broken, cut short, or grows
 * out of all proportion.
 * @throws UnreadableEncodingError for an encoding that is not known, and for several
 */
export function decodeBody(body: Readable, contentEncoding: string): AsyncIterable<Buffer> {
  const decoder = DECODERS.get(contentEncoding.trim().toLowerCase())?.();
  if (!decoder) throw new UnreadableEncodingError("The answer has an encoding that the gateway can't look into.");
  let encoded = 0;
  body.on("data", (chunk: Buffer) => (encoded += chunk.length));
  body.on("error", (error) => decoder.destroy(error));
  body.pipe(decoder);
  return guarded(decoder, () => encoded);
}

async function* guarded(decoded: AsyncIterable<Buffer>, encodedBytes: () => number): AsyncIterable<Buffer> {
  let bytes = 0;
  for await (const chunk of decoded) {
    bytes += chunk.length;
    if (bytes > GUARDED_FROM_BYTES && bytes > encodedBytes() * RATIO_MAX) {
      throw new UnreadableEncodingError("The answer grows out of all proportion when it is decoded.");
    }
    yield chunk;
  }
}
