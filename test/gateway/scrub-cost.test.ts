import { beforeEach, expect, it, vi } from "vitest";
import { createScrubbers } from "../../src/gateway/scrub.ts";
import type * as SecretForms from "../../src/gateway/secret-forms.ts";
import { secretForms, sentBase64Forms } from "../../src/gateway/secret-forms.ts";
import { substituteHeaders } from "../../src/gateway/substitute-headers.ts";
import { variable } from "../support/intercepted-host.ts";

vi.mock("../../src/gateway/secret-forms.ts", async (importOriginal) => {
  const original = await importOriginal<typeof SecretForms>();
  return {
    ...original,
    secretForms: vi.fn(original.secretForms),
    sentBase64Forms: vi.fn(original.sentBase64Forms),
  };
});

beforeEach(() => void vi.clearAllMocks());

const VALUE = "canary-s3cret/with+signs=";
const basicOf = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString("base64");

it("a repository's token does not have its forms made again for each request", () => {
  const scrubberFor = createScrubbers();
  const authorization = basicOf("x-access-token", VALUE);
  for (let request = 0; request < 3; request += 1) {
    const { text } = scrubberFor({ values: [VALUE], authorizations: [authorization], basics: [] });
    expect(text(authorization)).toBe("*".repeat(authorization.length));
  }
  expect(sentBase64Forms).toHaveBeenCalledTimes(1);
});

it("a sandbox that sends another name with its secret each time does not have the secret's forms made again", () => {
  const scrubberFor = createScrubbers();
  for (const user of ["one", "two", "three"]) {
    const basic = basicOf(user, VALUE);
    const { text } = scrubberFor({ values: [VALUE], basics: [basic] });
    expect(text(`${basic} ${VALUE}`)).toBe(`${"*".repeat(basic.length)} ${"*".repeat(VALUE.length)}`);
  }
  expect(secretForms).toHaveBeenCalledTimes(1);
});

it("what was sent in base64 is starred where it begins with what another secret ends with", () => {
  const { text } = createScrubbers()({
    values: [`/secret/${basicOf("u", "p")}`],
    basics: [`${basicOf("u", "p")}TAIL`],
  });
  expect(text(`/secret/${basicOf("u", "p")}TAIL`)).toMatch(/^\*+$/);
});

it("of many Basic headers, and of endless ones, few have to be looked for in the answer", () => {
  const credential = variable(VALUE);
  const header = (user: string) => ["x-auth", `Basic ${basicOf(user, credential.placeholder)}`] as const;
  const many = Array.from({ length: 100 }, (_, index) => header(`user${index}`));
  const { basics } = substituteHeaders([header("long".repeat(1_000)), ...many], [credential]);
  expect(basics).toEqual([basicOf("user0", VALUE), basicOf("user1", VALUE)]);
});
