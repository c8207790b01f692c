import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const CLOSE_TIMEOUT_MS = 1_000;

/** The server's end of a WebSocket: whole text frames, pings and the closing handshake. */
export interface ServerSocket {
  send(text: string): void;
  /** Says goodbye, and resolves when the other side has, or did not in time. */
  close(): Promise<void>;
  /** Ends without a word, as a lost connection does. */
  drop(): void;
}

export interface SocketHandlers {
  onText(text: string): void;
  onEnd(): void;
}

export function acceptWebSocket(request: IncomingMessage, stream: Duplex, handlers: SocketHandlers): ServerSocket {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  stream.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);

  let pending = Buffer.alloc(0);
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    handlers.onEnd();
  };
  const say = (opcode: number, payload: Buffer) => {
    if (stream.writable) stream.write(frame(opcode, payload));
  };
  stream.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let read = readFrame(pending); read; read = readFrame(pending)) {
      pending = pending.subarray(read.bytes);
      if (read.opcode === TEXT) handlers.onText(read.payload.toString());
      if (read.opcode === PING) say(PONG, read.payload);
      if (read.opcode === CLOSE) {
        say(CLOSE, read.payload);
        stream.end();
      }
    }
  });
  stream.on("close", end);
  stream.on("error", () => stream.destroy());

  return {
    send: (text) => say(TEXT, Buffer.from(text)),
    async close() {
      say(CLOSE, Buffer.from([3, 232]));
      const closed = stream.closed
        ? Promise.resolve()
        : once(stream, "close", { signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
      await closed.catch(() => stream.destroy());
    },
    drop: () => void stream.destroy(),
  };
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Null until a whole frame is there. */
function readFrame(from: Buffer): { opcode: number; payload: Buffer; bytes: number } | null {
  if (from.length < 2) return null;
  const short = from.readUInt8(1) & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskAt = 2 + lengthBytes;
  if (from.length < maskAt + 4) return null;
  const length = lengthBytes === 2 ? from.readUInt16BE(2) : lengthBytes === 8 ? Number(from.readBigUInt64BE(2)) : short;
  const bytes = maskAt + 4 + length;
  if (from.length < bytes) return null;
  const mask = from.subarray(maskAt, maskAt + 4);
  const payload = Buffer.from(from.subarray(maskAt + 4, bytes).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
  return { opcode: from.readUInt8(0) & 0x0f, payload, bytes };
}
