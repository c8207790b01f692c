import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { demultiplexer, encodeFrame, frameDecoder } from "../../src/sandbox/frames.ts";

describe("frames", () => {
  it("come out as they went in, however the bytes are cut up", () => {
    const frames = fc.array(fc.record({ header: fc.dictionary(fc.string(), fc.string()), body: fc.uint8Array() }));
    fc.assert(
      fc.property(frames, fc.array(fc.nat(64)), (sent, cuts) => {
        const received: { header: unknown; body: number[] }[] = [];
        const decode = frameDecoder(({ header, body }) => {
          received.push({ header: JSON.parse(header.toString()), body: [...body] });
        });
        for (const part of cutUp(Buffer.concat(sent.map(({ header, body }) => encodeFrame(header, body))), cuts))
          decode(part);
        expect(received).toEqual(sent.map(({ header, body }) => ({ header: { ...header }, body: [...body] })));
      }),
    );
  });

  it("of an absurd length are refused before any of it is kept", () => {
    const decode = frameDecoder(() => {});
    expect(() => decode(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]))).toThrow("announced a frame");
  });
});

describe("demultiplexer", () => {
  it("tells stdout from stderr, however the bytes are cut up", () => {
    const parts = fc.array(fc.record({ stderr: fc.boolean(), data: fc.uint8Array({ maxLength: 20 }) }));
    fc.assert(
      fc.property(parts, fc.array(fc.nat(16)), (sent, cuts) => {
        const out: number[] = [];
        const err: number[] = [];
        const demultiplex = demultiplexer(
          (part) => out.push(...part),
          (part) => err.push(...part),
        );
        for (const part of cutUp(Buffer.concat(sent.map(multiplexed)), cuts)) demultiplex(part);
        expect(out).toEqual(sent.filter(({ stderr }) => !stderr).flatMap(({ data }) => [...data]));
        expect(err).toEqual(sent.filter(({ stderr }) => stderr).flatMap(({ data }) => [...data]));
      }),
    );
  });
});

function multiplexed({ stderr, data }: { stderr: boolean; data: Uint8Array }): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stderr ? 2 : 1;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

function* cutUp(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) yield bytes.subarray(at, (at += size));
  yield bytes.subarray(at);
}
