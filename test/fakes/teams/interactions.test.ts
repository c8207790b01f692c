import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { recordOf } from "./record-of.ts";
import { type RecordingBot, startRecordingBot } from "./recording-bot.ts";
import { request, type RestBot, restBot } from "./rest-bot.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
let told: RecordingBot;
let heard: RecordingBot["heard"];

beforeEach(async () => {
  told = await startRecordingBot();
  ({ heard } = told);
  fake = await startFakeTeams({ deliverTo: told.endpoint, redeliveryDelaysMs: [0] });
  bot = restBot(fake);
});
afterEach(async () => {
  await fake.close();
  await told.close();
});

const write = async (key: string, activity: Record<string, unknown>) =>
  String((await bot.post(conversationOf(fake.world, key).id, { type: "message", ...activity })).body["id"]);
const cardOf = (content: Record<string, unknown>) => ({
  attachments: [
    {
      contentType: "application/vnd.microsoft.card.adaptive",
      content: { type: "AdaptiveCard", version: "1.5", ...content },
    },
  ],
});
const STOP = {
  type: "Action.Execute",
  title: "Stop",
  verb: "stop",
  data: { run: 7 },
  fallback: { type: "Action.Submit", title: "Stop", data: { verb: "stop", run: 7 } },
};

describe("a press", () => {
  it("of Action.Execute is an invoke, whose card only the one who pressed sees", async () => {
    const activityId = await write("group", cardOf({ actions: [STOP] }));
    const value = { type: "AdaptiveCard", version: "1.5" };
    told.answers.push({
      status: 200,
      body: { statusCode: 200, type: "application/vnd.microsoft.card.adaptive", value },
    });
    const pressed = fake.press({ activityId, user: "bob", action: "stop", inputs: { why: "late" } });
    expect(await pressed.done).toMatchObject({ status: 200, body: { statusCode: 200 } });
    const action = { type: "Action.Execute", verb: "stop", data: { run: 7, why: "late" } };
    expect(heard).toMatchObject([
      { type: "invoke", name: "adaptiveCard/action", replyToId: activityId, value: { action } },
    ]);
    expect([...(fake.written("group")[0]?.views ?? [])]).toEqual([["29:1-bob", value]]);
  });

  it("on an old client is a message with the fallback's data and no text", async () => {
    const activityId = await write("eng", cardOf({ actions: [STOP] }));
    await fake.press({ activityId, user: "bob", action: "Stop", asSubmit: true }).done;
    expect(heard).toMatchObject([{ type: "message", replyToId: activityId, value: { verb: "stop", run: 7 } }]);
    expect(heard[0]).not.toHaveProperty("text");
    expect(heard[0]?.["conversation"]).toMatchObject({ id: expect.stringContaining(`;messageid=${activityId}`) });
  });

  it("needs a button", async () => {
    const activityId = await write("group", cardOf({ actions: [STOP] }));
    expect(() => fake.press({ activityId, user: "bob", action: "go" })).toThrow("no button go, but stop");
  });
});

describe("a file consent card", () => {
  const ask = () =>
    write("alice", {
      attachments: [
        {
          contentType: "application/vnd.microsoft.teams.card.file.consent",
          name: "report.csv",
          content: { description: "A report", sizeInBytes: 3, acceptContext: { file: 1 }, declineContext: { file: 2 } },
        },
      ],
    });

  it("accepted, has somewhere to upload to, and a card to end with", async () => {
    await fake.consent(await ask(), "alice", "accept").done;
    const { action, context, uploadInfo } = recordOf(heard[0]?.["value"]);
    expect([heard[0]?.["name"], action, context]).toEqual(["fileConsent/invoke", "accept", { file: 1 }]);
    const { uploadUrl, uniqueId, fileType, contentUrl, name } = recordOf(uploadInfo);
    const stored = await request("PUT", String(uploadUrl), Buffer.from("a,b"), { "content-range": "bytes 0-2/3" });
    expect(stored.status).toBe(201);
    expect(fake.world.items[0]).toMatchObject({ name: "report.csv", uniqueId });
    const info = { contentType: "application/vnd.microsoft.teams.card.file.info", contentUrl, name };
    await write("alice", { attachments: [{ ...info, content: { uniqueId, fileType } }] });
    expect(fake.violations).toEqual([]);
  });

  it("takes as many bytes as it said", async () => {
    await fake.consent(await ask(), "alice", "accept").done;
    const { uploadUrl } = recordOf(recordOf(heard[0]?.["value"])["uploadInfo"]);
    const wrong = await request("PUT", String(uploadUrl), Buffer.from("a"), { "content-range": "bytes 0-0/1" });
    expect(wrong.status).toBe(400);
  });

  it("declined, says so", async () => {
    await fake.consent(await ask(), "alice", "decline").done;
    expect(heard[0]?.["value"]).toEqual({ type: "fileUpload", action: "decline", context: { file: 2 } });
  });

  it("has no place outside personal chats", async () => {
    const content = { description: "A report", sizeInBytes: 3 };
    const contentType = "application/vnd.microsoft.teams.card.file.consent";
    await write("group", { attachments: [{ contentType, name: "report.csv", content }] });
    expect(fake.violations).toHaveLength(1);
  });
});
