import { inspect } from "node:util";
import { serialize } from "node:v8";
import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secrets/secret.ts";

const TEXT = "xoxb-hunter2";
const secret = new Secret(TEXT);

describe("a secret", () => {
  it("is given to whoever asks for it by name", () => {
    expect(secret.reveal()).toBe(TEXT);
  });

  it.each<[string, () => string]>([
    // oxlint-disable-next-line typescript/restrict-template-expressions
    ["interpolated", () => `${secret}`],
    ["added to a text", () => "key: " + String(secret)],
    ["made JSON of", () => JSON.stringify({ nested: { secret } })],
    ["inspected", () => inspect({ nested: [secret] }, { depth: 9, showHidden: true })],
    ["inspected without our say", () => inspect(secret, { customInspect: false, showHidden: true })],
    ["logged", () => logged((log) => log.info({ secret, nested: { secret } }, "started"))],
    ["part of an error", () => inspect(new Error("it failed", { cause: secret }))],
    ["copied", () => inspect(structuredClone(secret))],
    ["serialised", () => serialize(secret).toString("latin1")],
    ["listed", () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret).map(String)])],
  ])("is not seen when it is %s", (_, show) => {
    expect(show()).not.toContain("hunter2");
  });

  it("says that something is there", () => {
    expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}');
    expect(String(secret)).toBe("[redacted]");
  });
});

function logged(write: (log: pino.Logger) => void): string {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  write(pino({}, stream));
  return lines.join("");
}
