/**
 * The wire between a harness and the runner. A frame is the length of the header and of the body (uint32, big endian),
 * the header (JSON) and the body (raw bytes).
 */
export interface Frame {
  header: Buffer;
  body: Buffer;
}

const LENGTHS_BYTES = 8;
const HEADER_BYTES_MAX = 64 * 1024 * 1024;
const BODY_BYTES_MAX = 64 * 1024 * 1024;

export function encodeFrame(header: object, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
  lengths.writeUInt32BE(json.length, 0);
  lengths.writeUInt32BE(body.length, 4);
  return Buffer.concat([lengths, json, body]);
}

/** Takes bytes as they come and hands on whole frames. @throws Error at a frame larger than any runner sends */
export function frameDecoder(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  const received = byteQueue();
  let lengths: { header: number; body: number } | null = null;

  return (chunk) => {
    received.push(chunk);
    for (;;) {
      if (lengths === null) {
        if (received.size() < LENGTHS_BYTES) return;
        const bytes = received.take(LENGTHS_BYTES);
        lengths = { header: bytes.readUInt32BE(0), body: bytes.readUInt32BE(4) };
        if (lengths.header > HEADER_BYTES_MAX || lengths.body > BODY_BYTES_MAX) {
          throw new Error(`The runner announced a frame of ${lengths.header} + ${lengths.body} bytes.`);
        }
      }
      if (received.size() < lengths.header + lengths.body) return;
      const frame = { header: received.take(lengths.header), body: received.take(lengths.body) };
      lengths = null;
      onFrame(frame);
    }
  };
}

/** Takes apart the engine's stream of an exec without a terminal, in which stdout and stderr are interleaved. */
export function demultiplexer(onStdout: (part: Buffer) => void, onStderr: (part: Buffer) => void) {
  const head = Buffer.alloc(8);
  let headBytes = 0;
  let partLeft = 0;

  return (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length) {
      if (partLeft === 0) {
        const copied = chunk.copy(head, headBytes, at, at + 8 - headBytes);
        headBytes += copied;
        at += copied;
        if (headBytes < 8) return;
        headBytes = 0;
        partLeft = head.readUInt32BE(4);
        continue;
      }
      const part = chunk.subarray(at, at + partLeft);
      at += part.length;
      partLeft -= part.length;
      if (head[0] === 2) onStderr(part);
      else onStdout(part);
    }
  };
}

/** Bytes in the order they came, without copying more than each `take` needs. */
function byteQueue() {
  let chunks: Buffer[] = [];
  let total = 0;

  return {
    size: () => total,
    push(chunk: Buffer) {
      chunks.push(chunk);
      total += chunk.length;
    },
    /** The first `count` bytes, which must be there. */
    take(count: number): Buffer {
      total -= count;
      const [first] = chunks;
      if (first && first.length >= count) {
        if (first.length === count) chunks.shift();
        else chunks[0] = first.subarray(count);
        return first.subarray(0, count);
      }
      const all = Buffer.concat(chunks);
      chunks = all.length > count ? [all.subarray(count)] : [];
      return all.subarray(0, count);
    },
  };
}
