import { describe, expect, it } from "vitest";
import { userMessageText } from "../../bots/shared/user-message.ts";
import { createScriptedProvider, SCRIPTED_PREFIX } from "../../src/models/scripted.ts";
import { defaultScripts } from "../../src/models/scripts/default-scripts.ts";
import type { ModelStreamEvent } from "../../src/models/model-provider.ts";
import { callsOf, converse, request, respond, textOf } from "./scripted-conversation.ts";

const provider = createScriptedProvider({ scripts: defaultScripts() });
const hello = request([{ role: "user", content: [{ type: "text", text: "hello" }] }]);

describe("the scripted provider", () => {
  it("streams text in pieces that make up the response, which comes last", async () => {
    const events: ModelStreamEvent[] = [];
    for await (const event of provider.stream(hello, new AbortController().signal)) events.push(event);
    const pieces = events.flatMap((event) => (event.type === "text" ? [event.text] : []));
    const last = events.at(-1);
    expect(pieces.length).toBeGreaterThan(5);
    expect(last?.type === "response" && textOf(last.response)).toBe(pieces.join(""));
  });

  it("names itself at the head of every message", async () => {
    const conversation = converse(() => "ok");
    conversation.say("make me a deck");
    for (let i = 0; i < 4; i++) {
      expect(textOf(await conversation.ask()).slice(0, SCRIPTED_PREFIX.length)).toBe(SCRIPTED_PREFIX);
    }
  });

  it("gives the same answer, ids included, to the same request", async () => {
    const asked = request([{ role: "user", content: [{ type: "text", text: "run: date" }] }]);
    expect(await respond(provider, asked)).toEqual(await respond(provider, asked));
  });

  it("gives each tool call of a conversation an id of its own", async () => {
    const conversation = converse((call) => (call.name === "glob" ? "/mnt/session/uploads/orders.csv" : "ok"));
    conversation.say("a deck, please");
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push(...callsOf(await conversation.ask()).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("stops with the signal's reason in mid-stream", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const slow = createScriptedProvider({ scripts: defaultScripts(), pauseMs: 60_000 });
    const reading = respondUntilAborted(slow.stream(hello, controller.signal));
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  it("says what it can do, and how to get a real model, when there is no table", async () => {
    const response = await respond(provider, hello);
    expect(response.stopReason).toBe("end_turn");
    expect(textOf(response)).toContain("ANTHROPIC_API_KEY");
  });

  it("lists one model", () => {
    expect(provider.models().map(({ id }) => id)).toEqual(["deckhand-scripted"]);
  });
});

describe("run: COMMAND", () => {
  it("runs the command and reports its output", async () => {
    const conversation = converse((call) => `ran ${String(call.input["command"])}`, { uploads: [] });
    conversation.say("run: uname -s");
    expect(callsOf(await conversation.ask())).toMatchObject([{ name: "bash", input: { command: "uname -s" } }]);
    expect(await conversation.finish()).toContain("ran uname -s");
  });

  it("runs the command alone when files are attached to it", async () => {
    const commands: unknown[] = [];
    const conversation = converse(
      ({ input }) => {
        commands.push(input);
        return "ok";
      },
      { uploads: [] },
    );
    conversation.say("run: ls\n\n<attached_files>\n/mnt/session/uploads/a.csv\n</attached_files>");
    await conversation.finish();
    expect(commands).toEqual([{ command: "ls" }]);
  });

  it("takes nothing that a chat adds below the words for words", async () => {
    const commands: unknown[] = [];
    const conversation = converse(
      ({ input }) => {
        commands.push(input);
        return "ok";
      },
      { uploads: [] },
    );
    const context = { messages: [], cut: false, unreadable: "The channel is private." };
    const missing = [{ filename: "b.csv", reason: "It was deleted." }];
    conversation.say(userMessageText("run: ls", ["/mnt/session/uploads/a.csv"], { author: "Ben", missing, context }));
    await conversation.finish();
    expect(commands).toEqual([{ command: "ls" }]);
  });

  it("runs a failing command once, for it may have had an effect, and reports the failure", async () => {
    let runs = 0;
    const conversation = converse(
      () => {
        runs += 1;
        return { text: "exit 1", isError: true };
      },
      { uploads: [] },
    );
    conversation.say("run: false");
    expect(await conversation.finish()).toContain("failed");
    expect(runs).toBe(1);
  });
});

async function respondUntilAborted(stream: AsyncIterable<ModelStreamEvent>): Promise<void> {
  for await (const event of stream) if (event.type === "response") return;
}
