import { readdir } from "node:fs/promises";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DeckhandProcess } from "../../bench/deckhand-process.ts";
import { findInstallation } from "../../bench/installation.ts";
import { containerNames } from "../../src/sandbox/labels.ts";
import { bash, says } from "../fakes/messages-answer.ts";
import { newSession, sendText } from "./support/conversation.ts";
import { containerOf } from "./support/session-container.ts";
import { expectWhole, resultsIn } from "./support/session-log.ts";
import { createTestHome, type TestHome } from "./support/test-home.ts";

const STOP_MAX_MS = 10_000;
const LONG_COMMAND =
  "echo line >> effects.txt; touch /tmp/begun; until [ -e /tmp/go ]; do sleep 0.05; done; cat effects.txt";

let home: TestHome;
let deckhand: DeckhandProcess;
beforeEach(async () => {
  home = await createTestHome();
  deckhand = await home.up(null, "0");
});
afterEach(() => home.close());

it.each(["SIGTERM", "SIGKILL"] as const)(
  "a turn that %s cut short is finished when Deckhand is up again",
  async (signal) => {
    const { client, sessionId, container } = await runningCommand();
    await deckhand.process.kill(signal);
    await container.succeeds("touch /tmp/go");
    await home.up(null, new URL(client.baseURL).port);
    await home.database.idle(sessionId, 1);
    const log = await home.database.log(sessionId);
    expectWhole(log);
    expect(resultsIn(log)).toEqual(["line\n"]);
  },
);

it("SIGTERM ends it in time and leaves nothing but the home and the sandboxes of its sessions", async () => {
  const { sessionId } = await runningCommand();
  const postgres = await home.database.pid();
  const askedAt = performance.now();
  expect(deckhand.process.running).toBe(true);
  await deckhand.process.kill("SIGTERM");
  expect(performance.now() - askedAt).toBeLessThan(STOP_MAX_MS);
  expect(await deckhand.process.ended).toBe(0);
  expect(() => process.kill(postgres, 0)).toThrow("ESRCH");
  expect(await readdir(home.temp)).toEqual([]);
  const installation = await findInstallation(home.home);
  const names = (await installation.containers()).flatMap(({ Names }) => Names.map((name) => name.slice(1)));
  expect(names.map((name) => containerNames(installation.id).sessionOf(name))).toEqual([sessionId]);
});

async function runningCommand() {
  const client = new Anthropic({ baseURL: deckhand.url ?? "", apiKey: home.apiKey });
  home.model.play("wait", bash(LONG_COMMAND), says("Done."));
  const sessionId = await newSession(client);
  await sendText(client, sessionId, "wait");
  const container = await containerOf(home.home, sessionId);
  await container.hasFile("/tmp/begun");
  return { client, sessionId, container };
}
