import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScrubbers } from "../../src/gateway/scrub.ts";

const scrubberFor = createScrubbers();
const scrubber = (...values: string[]) => scrubberFor({ values, basics: [] });
const starsFor = (text: string) => "*".repeat(Buffer.byteLength(text));

/** The chunks of a body, cut at any places. */
function cut(body: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (body.length + 1)))].toSorted((a, b) => a - b);
  // Copies, for a stream may change what it is given.
  return [...ends, body.length].map((end, index) => Buffer.from(body.subarray(ends[index - 1] ?? 0, end)));
}

function through(values: readonly string[], chunks: readonly Buffer[]): Buffer {
  const stream = scrubber(...values).stream();
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]);
}

const secret = fc
  .string({ unit: "grapheme-ascii", minLength: 8, maxLength: 60 })
  .filter((text) => text.trim().length >= 8);
const places = fc.array(fc.nat(), { maxLength: 30 });

/** How a secret stands in what was sent: as it is, or as the body's type wants it. */
const sent: ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => JSON.stringify(text).slice(1, -1),
];
const forms: ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  (text) => new URLSearchParams({ a: text }).toString().slice(2),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replaceAll(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  (text) => Buffer.from(text).toString("hex"),
  (text) => Buffer.from(text).toString("hex").toUpperCase(),
  (text) => Buffer.from(text, "utf16le").toString("latin1"),
];

describe("a stream that is scrubbed", () => {
  it("shows no secret however it is cut, and has every other byte in its place", () => {
    const filler = fc.string({ unit: fc.constantFrom("~", "|", "\n"), maxLength: 20 });
    // Fillers have no character of a secret, so nothing but secrets is starred.
    const plain = fc.stringMatching(/^[A-Za-z0-9+/=_.:-]{8,60}$/);
    fc.assert(
      fc.property(
        fc.array(plain, { minLength: 1, maxLength: 3 }),
        fc.array(filler),
        places,
        (secrets, fillers, ends) => {
          const parts = fillers.map((text, index) => ({ text, secret: secrets[index % secrets.length] ?? "" }));
          const body = Buffer.from(parts.map(({ text, secret }) => text + secret).join(""));
          const expected = parts.map(({ text, secret }) => text + starsFor(secret)).join("");
          expect(through(secrets, cut(body, ends)).toString()).toBe(expected);
        },
      ),
    );
  });

  it("shows none of its forms, nor those of how it was sent, and is never longer or shorter", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...sent), fc.constantFrom(...forms), places, (value, escape, form, ends) => {
        const body = Buffer.from(`\u0001\u0001${form(escape(value))}\u0001\u0001`, "latin1");
        const scrubbed = through([value], cut(body, ends));
        expect(scrubbed.toString("latin1")).toBe(`\u0001\u0001${"*".repeat(body.length - 4)}\u0001\u0001`);
      }),
      { numRuns: 300 },
    );
  });

  it("shows it neither where a server took each of its bytes for a character, as many do with headers", () => {
    const value = "pässwörd-ünïcode";
    const taken = Buffer.from(value).toString("latin1");
    for (const given of [
      taken,
      JSON.stringify(taken).replaceAll(/[\u0080-\uffff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    ]) {
      expect(through([value], [Buffer.from(given)]).toString()).not.toMatch(/ssw|rd-|code/);
    }
  });

  it("shows it in no base64, wherever it stands in what was encoded", () => {
    const encodings: ((bytes: Buffer) => string)[] = [
      (bytes) => bytes.toString("base64"),
      (bytes) => bytes.toString("base64url"),
      (bytes) => encodeURIComponent(bytes.toString("base64")),
      (bytes) => bytes.toString("base64").replaceAll("/", "\\/"),
    ];
    const around = fc.string({ maxLength: 7 });
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(...sent),
        around,
        around,
        fc.constantFrom(...encodings),
        (value, escape, before, after, encode) => {
          const escaped = escape(value);
          const body = encode(Buffer.concat([Buffer.from(before), Buffer.from(escaped), Buffer.from(after)]));
          const scrubbed = through([value], [Buffer.from(body)]).toString();
          // Of the first and the last character only a few bits are the secret's.
          const stars = scrubbed.match(/\*+/)?.[0].length ?? 0;
          expect(stars).toBeGreaterThanOrEqual(Math.floor((Buffer.byteLength(escaped) * 8) / 6) - 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("shows neither of two that overlap, nor one that begins as another does", () => {
    expect(through(["abcdefgh", "efghijkl"], [Buffer.from("-abcdefghijkl-")]).toString()).toBe("-************-");
    expect(through(["abcdefgh", "abcdefghijkl"], [Buffer.from("-abcdefghijkX-abcdefghijkl")]).toString()).toBe(
      "-********ijkX-************",
    );
    expect(through(["aaaaaaaaab"], cut(Buffer.from("aaaaaaaaaaaaaaaab"), [3, 9, 16])).toString()).toBe(
      "aaaaaaa**********",
    );
  });

  it("passes on at once what no secret can begin with", () => {
    const stream = scrubber("s3cret-value").stream();
    expect(stream.push(Buffer.from("data: one\n\n")).toString()).toBe("data: one\n\n");
    expect(stream.push(Buffer.from("say s3cre")).toString()).toBe("say ");
    expect(stream.push(Buffer.from("m\n")).toString()).toBe("s3crem\n");
    expect(stream.push(Buffer.from("\ns3c")).toString()).toBe("\n");
    expect(stream.end().toString()).toBe("s3c");
  });

  it("stars a Basic value that was sent whole, with the characters at its ends", () => {
    const basic = Buffer.from("me:s3cret-value").toString("base64");
    expect(scrubberFor({ values: ["s3cret-value"], basics: [basic] }).text(`Basic ${basic}`)).toBe(
      `Basic ${"*".repeat(basic.length)}`,
    );
  });

  it("leaves everything alone when there is no secret", () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(through([], [Buffer.from(bytes)]).equals(bytes)).toBe(true);
  });
});
