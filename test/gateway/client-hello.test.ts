import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readClientHello } from "../../src/gateway/client-hello.ts";

let named: Buffer;
let nameless: Buffer;

beforeAll(async () => {
  named = await helloOf("api.example.com");
  nameless = await helloOf(undefined);
});

describe("a TLS hello", () => {
  it("is read as OpenSSL writes it, with and without a name", () => {
    expect(readClientHello(named)).toEqual({ kind: "hello", serverName: "api.example.com" });
    expect(readClientHello(nameless)).toEqual({ kind: "hello", serverName: null });
  });

  it("asks for more until it is all there, and then looks no further", () => {
    for (let length = 0; length < named.length; length++) {
      expect(readClientHello(named.subarray(0, length))).toEqual({ kind: "incomplete" });
    }
    expect(readClientHello(Buffer.concat([named, Buffer.from("more")]))).toMatchObject({ kind: "hello" });
  });

  it("may be spread over records of any size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 400 }), (size) => {
        expect(readClientHello(inRecords(named, size))).toEqual({ kind: "hello", serverName: "api.example.com" });
      }),
    );
    expect(readClientHello(inRecords(named, 1))).toEqual({ kind: "malformed" });
  });

  it("with two names, or a name that is none, could be read in two ways", () => {
    const name = named.indexOf("api.example.com");
    expect(readClientHello(replaced(named, name, "api\0example.com"))).toEqual({ kind: "malformed" });
    expect(readClientHello(withSecondName(named))).toEqual({ kind: "malformed" });
  });

  it("is told from what is something else, and from what is too much of it", () => {
    expect(readClientHello(Buffer.from("GET / HTTP/1.1\r\n"))).toEqual({ kind: "other" });
    expect(readClientHello(Buffer.of(0x80, 0x2e, 1, 3, 1))).toEqual({ kind: "other" });
    expect(readClientHello(Buffer.of(22, 3, 1, 0, 4, 2, 0, 0, 0))).toEqual({ kind: "malformed" });
    expect(readClientHello(Buffer.of(22, 3, 1, 0, 4, 1, 1, 0, 0))).toEqual({ kind: "malformed" });
    expect(readClientHello(Buffer.of(22, 3, 1, 0, 0))).toEqual({ kind: "malformed" });
  });

  it("never breaks what reads it", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: named.length - 1 }), (noise, at) => {
        kinds.add(readClientHello(Buffer.from([22, 3, 1, ...noise])).kind);
        kinds.add(readClientHello(Buffer.concat([named.subarray(0, at), Buffer.from(noise), named.subarray(at)])).kind);
      }),
    );
    expect([...kinds].filter((kind) => !["hello", "incomplete", "malformed"].includes(kind))).toEqual([]);
  });
});

/** What a client sends first. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    ...(servername ? { servername } : {}),
  });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  client.destroy();
  server.close();
  return bytes;
}

function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    parts.push(Buffer.of(22, 3, 1, part.length >> 8, part.length & 255), part);
  }
  return Buffer.concat(parts);
}

function replaced(bytes: Buffer, at: number, text: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(text, at, "latin1");
  return copy;
}

/** Repeats the extension, and corrects all lengths around it. */
function withSecondName(hello: Buffer): Buffer {
  const start = hello.indexOf("api.example.com") - 9;
  const extension = hello.subarray(start, start + 9 + "api.example.com".length);
  const copy = Buffer.concat([hello.subarray(0, start), extension, hello.subarray(start)]);
  const extensionsAt = extensionsOffset(hello);
  copy.writeUInt16BE(copy.readUInt16BE(3) + extension.length, 3);
  copy.writeUIntBE(copy.readUIntBE(6, 3) + extension.length, 6, 3);
  copy.writeUInt16BE(copy.readUInt16BE(extensionsAt) + extension.length, extensionsAt);
  return copy;
}

function extensionsOffset(hello: Buffer): number {
  let at = 5 + 4 + 34;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  return at + 1 + hello.readUInt8(at);
}
