/**
 * What the first bytes of a connection are. `serverName` is null for a TLS hello that names no server. `incomplete` asks
 * for more bytes; all others are final.
 */
export type ClientHello =
  | { kind: "incomplete" }
  | { kind: "hello"; serverName: string | null }
  /** Something else than TLS. */
  | { kind: "other" }
  /** TLS as no client speaks it, or as it could be read in two ways. */
  | { kind: "malformed" };

export const HANDSHAKE_RECORD = 22;
const RECORD_HEADER_BYTES = 5;
const RECORDS_MAX = 64;
const HELLO_BYTES_MAX = 16_384;
const TLS_MAJOR = 3;
const CLIENT_HELLO = 1;
const HANDSHAKE_HEADER_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 34;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** @param bytes everything that came so far */
export function readClientHello(bytes: Buffer): ClientHello {
  if (bytes.length === 0) return { kind: "incomplete" };
  if (bytes[0] !== HANDSHAKE_RECORD) return { kind: "other" };
  try {
    const message = handshakeMessage(bytes);
    return message ? { kind: "hello", serverName: serverNameOf(message) } : { kind: "incomplete" };
  } catch (error) {
    if (error instanceof MalformedError) return { kind: "malformed" };
    throw error;
  }
}

class MalformedError extends Error {}

/** The hello itself, which may be spread over several records; null while it is not all there. */
function handshakeMessage(bytes: Buffer): Reader | null {
  const parts: Buffer[] = [];
  let has = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length && parts.length < RECORDS_MAX;) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== TLS_MAJOR || length === 0) throw new MalformedError();
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    parts.push(part);
    has += part.length;
    const wanted = wantedBytes(Buffer.concat(parts, Math.min(has, HANDSHAKE_HEADER_BYTES)));
    if (has >= wanted) return new Reader(Buffer.concat(parts, wanted).subarray(HANDSHAKE_HEADER_BYTES));
    at += RECORD_HEADER_BYTES + length;
  }
  if (bytes.length > HELLO_BYTES_MAX || parts.length === RECORDS_MAX) throw new MalformedError();
  return null;
}

/** How long the message says it is, its header included; more than anything while that has not come. */
function wantedBytes(header: Buffer): number {
  if (header.length > 0 && header[0] !== CLIENT_HELLO) throw new MalformedError();
  if (header.length < HANDSHAKE_HEADER_BYTES) return Infinity;
  const wanted = HANDSHAKE_HEADER_BYTES + header.readUIntBE(1, 3);
  if (wanted > HELLO_BYTES_MAX) throw new MalformedError();
  return wanted;
}

function serverNameOf(hello: Reader): string | null {
  hello.take(VERSION_AND_RANDOM_BYTES);
  hello.vector(1); // session
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  if (hello.isEmpty) return null;
  const extensions = hello.vector(2);
  const names: string[] = [];
  while (!extensions.isEmpty) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (type === SERVER_NAME_EXTENSION) names.push(...hostNames(body));
  }
  const [name = null, ...more] = names;
  if (more.length > 0) throw new MalformedError();
  return name;
}

function hostNames(extension: Reader): string[] {
  const list = extension.vector(2);
  const names: string[] = [];
  while (!list.isEmpty) {
    if (list.number(1) !== HOST_NAME) throw new MalformedError();
    const name = list.vector(2).rest().toString("latin1");
    if (!PRINTABLE.test(name)) throw new MalformedError();
    names.push(name);
  }
  if (names.length === 0 || !extension.isEmpty) throw new MalformedError();
  return names;
}

class Reader {
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  take(count: number): Buffer {
    if (count > this.#bytes.length) throw new MalformedError();
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  rest(): Buffer {
    return this.take(this.#bytes.length);
  }

  number(bytes: 1 | 2): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  /** What follows its own length. */
  vector(lengthBytes: 1 | 2): Reader {
    return new Reader(this.take(this.number(lengthBytes)));
  }
}
