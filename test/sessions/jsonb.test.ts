import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toJsonb } from "../../src/sessions/jsonb.ts";

const cleaned = (text: string) => text.replaceAll("\0", "\ufffd").toWellFormed();

describe("JSON for the database", () => {
  it("replaces NUL and half characters, and nothing else, in any text", () => {
    const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    fc.assert(
      fc.property(fc.oneof(anyText, fc.constantFrom("\\u0000", "\\\\u0000", "\\\0", "\\\ud800", "\\ud800")), (text) => {
        expect(JSON.parse(toJsonb([text]))).toEqual([cleaned(text)]);
      }),
    );
  });

  it("cleans keys too", () => {
    expect(JSON.parse(toJsonb({ "a\0": { "\udc00": 1 } }))).toEqual({ "a\ufffd": { "\ufffd": 1 } });
  });
});
