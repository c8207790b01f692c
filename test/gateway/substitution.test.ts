import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBodySubstitution } from "../../src/gateway/substitute-body.ts";
import { substituteHeaders, UnsendableSecretError } from "../../src/gateway/substitute-headers.ts";
import { variable } from "../support/intercepted-host.ts";

const placeholderOf = (digit: string) => `deckhand_placeholder_${digit.repeat(40)}`;
const first = variable("first$&value", { credentialId: "cred_a", placeholder: placeholderOf("a") });
const second = variable(`second ${placeholderOf("a")}`, { credentialId: "cred_b", placeholder: placeholderOf("b") });

describe("a body with placeholders", () => {
  it("has the secrets in their place however it is cut, and every other byte as it was", () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(first.placeholder, second.placeholder, first.placeholder.slice(0, 30), "deckhand_placeholder_"),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat()), (parts, places) => {
        const body = Buffer.from(parts.join(""));
        const expected = body
          .toString()
          .replaceAll(/deckhand_placeholder_(a{40}|b{40})/g, (_, digits: string) =>
            digits.startsWith("a") ? first.secret.reveal() : second.secret.reveal(),
          );
        const ends = [...places.map((place) => place % (body.length + 1)).toSorted((a, b) => a - b), body.length];
        const substitution = createBodySubstitution([first, second], "text/plain");
        const chunks = ends.map((end, index) => substitution.push(body.subarray(ends[index - 1] ?? 0, end)));
        expect(Buffer.concat([...chunks, substitution.end()]).toString()).toBe(expected);
      }),
    );
  });

  it("tells whose secrets it got, and gets none that is for headers alone", () => {
    const substitution = createBodySubstitution([{ ...first, inBody: false }, second], undefined);
    const bytes = substitution.push(Buffer.from(`${first.placeholder} ${second.placeholder}`));
    expect(bytes.toString()).toBe(`${first.placeholder} ${second.secret.reveal()}`);
    expect(substitution.credentialIds()).toEqual(["cred_b"]);
  });

  it("is passed on at once where no placeholder can begin", () => {
    const substitution = createBodySubstitution([first], undefined);
    expect(substitution.push(Buffer.from("abc deckhand_pla")).toString()).toBe("abc ");
    expect(substitution.push(Buffer.from("n")).toString()).toBe("deckhand_plan");
  });

  it("that is JSON stays JSON", () => {
    const quoted = variable('with "quotes"\nand lines');
    const body = Buffer.from(JSON.stringify({ key: quoted.placeholder }));
    const substitution = createBodySubstitution([quoted], "application/vnd.api+json");
    expect(JSON.parse(substitution.push(body).toString())).toEqual({ key: quoted.secret.reveal() });
  });
});

describe("headers with placeholders", () => {
  const value = (given: string) => substituteHeaders([["X-A", given]], [first, second]).headers[0]?.[1];

  it.each([
    ["Bearer <>", "Bearer SECRET"],
    ["<>, <>", "SECRET, SECRET"],
    [first.placeholder.slice(0, -1), first.placeholder.slice(0, -1)],
    [first.placeholder.toUpperCase(), first.placeholder.toUpperCase()],
  ])("have the secrets in their place: %s", (given, expected) => {
    expect(value(given.replaceAll("<>", first.placeholder))).toBe(expected.replaceAll("SECRET", () => "first$&value"));
  });

  it("get nothing put into a secret that was put in", () => {
    expect(value(second.placeholder)).toBe(second.secret.reveal());
  });

  it("have them inside Basic, whose other bytes stay", () => {
    const bytes = (password: string) => Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from(`:${password}`)]);
    expect(value(`basic  ${bytes(first.placeholder).toString("base64")}`)).toBe(
      `basic  ${bytes("first$&value").toString("base64")}`,
    );
    expect(value("Basic !!!not base64")).toBe("Basic !!!not base64");
  });

  it("send what is not ASCII as UTF-8", () => {
    const { headers } = substituteHeaders(
      [["X-A", first.placeholder]],
      [variable("pässwörd🔑", { placeholder: first.placeholder })],
    );
    expect(Buffer.from(headers[0]?.[1] ?? "", "latin1").toString()).toBe("pässwörd🔑");
  });

  it.each(["one\r\nHost: evil", "one\ntwo", "one\0two"])("take no secret that would end them: %j", (secret) => {
    const split = variable(secret, { placeholder: first.placeholder });
    const attempt = () => substituteHeaders([["X-A", first.placeholder]], [split]);
    expect(attempt).toThrow(UnsendableSecretError);
    expect(attempt).not.toThrow(/one|two/);
  });
});
