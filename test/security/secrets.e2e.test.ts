import { afterAll, beforeAll, describe } from "vitest";
import { attemptAddresses } from "./secrets-addresses.ts";
import { attemptChanges } from "./secrets-changes.ts";
import { attemptEchoes } from "./secrets-echo.ts";
import { attemptFraming } from "./secrets-framing.ts";
import { attemptHunt, attemptMemory } from "./secrets-hunt.ts";
import { attemptAnswersOfApi, attemptScans } from "./secrets-left.ts";
import { attemptLimited } from "./secrets-limited.ts";
import { attemptSubstitution } from "./secrets-substitution.ts";
import { type Planted, plant } from "./support/planted.ts";
import { type SandboxAttempt, sandboxAttempts } from "./support/sandbox-attempts.ts";

let planted: Planted;
beforeAll(async () => {
  planted = await plant();
});
afterAll(() => planted.world.close());

type SessionName = "main" | "open" | "one" | "packages";

const attemptsOf = (area: string, session: SessionName): SandboxAttempt =>
  sandboxAttempts(
    area,
    () => planted.world,
    () => planted[session],
  );

describe("secrets in requests", () => {
  attemptSubstitution(attemptsOf("substitution", "main"), {
    address: () => planted.world.credentialAddress,
    foreign: () => planted.placeholders.foreign,
  });
});

describe("secrets in answers", () => {
  attemptEchoes(attemptsOf("echo", "main"));
});

describe("names and framing", () => {
  attemptFraming(attemptsOf("framing", "main"));
});

describe("addresses", () => {
  attemptAddresses(attemptsOf("addresses", "open"));
});

describe("networking that is limited to one host", () => {
  attemptLimited(attemptsOf("limited", "one"), attemptsOf("limited", "packages"), () => planted);
});

describe("looking around in the sandbox", () => {
  attemptHunt(attemptsOf("hunt", "main"));
  attemptMemory(attemptsOf("hunt", "main"));
});

describe("answers of the API", () => {
  attemptAnswersOfApi(() => planted);
});

describe("what changes while a session runs", () => {
  attemptChanges(() => planted);
});

describe("what is left behind", () => {
  attemptScans(() => planted);
});
