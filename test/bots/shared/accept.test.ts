import { describe, expect, it } from "vitest";
import { accept } from "../../../bots/shared/accept.ts";
import type { InboundItem } from "../../../bots/shared/inbound-item.ts";

const thread = "slack:T1:C1:1.0" as const;
const message = (
  text: string,
  attachments: { filename: string; ref: string; sizeBytes: null }[] = [],
): Extract<InboundItem, { type: "message" }> => ({
  ...{ type: "message", personId: "U1", text, attachments, addressed: false, agentId: null, reactTo: "m1" },
});

async function accepted(item: InboundItem, isNew = true, filesAwaited = false) {
  const kept: InboundItem[] = [];
  const hinted: string[] = [];
  const inbox = {
    keep: async (...args: [unknown, unknown, InboundItem, unknown]) => kept.push(args[2]) > 0 && isNew,
    bringFiles: async () => filesAwaited,
  };
  const hint = async (key: string) => void hinted.push(key);
  const result = await accept({ inbox, hint }, { thread, messageId: "m1", item, receiptId: null });
  return { kept, hinted, result };
}

describe("what a surface heard", () => {
  it("is kept as it is, and somebody is told", async () => {
    expect(await accepted(message("Hi"))).toEqual({ kept: [message("Hi")], hinted: [thread], result: true });
  });

  it("is told to nobody when it was kept before", async () => {
    expect(await accepted(message("Hi"), false)).toMatchObject({ hinted: [], result: false });
  });

  it("is told all the same when it brings the files of what was kept before, which another of its kind can't", async () => {
    const withoutFiles = { ...message("Hi"), filesMayFollow: true };
    expect(await accepted(message("Hi"), false, true)).toMatchObject({ hinted: [thread], result: false });
    expect(await accepted(withoutFiles, false, true)).toMatchObject({ hinted: [] });
  });

  it("is kept as a stop when its words are one, so that it overtakes what it is about", async () => {
    const { kept } = await accepted(message("Stop, please!"));
    expect(kept).toEqual([{ type: "stop", personId: "U1", addressed: false }]);
  });

  it("stays a message when there is more to it", async () => {
    const withFile = message("stop", [{ filename: "stop.csv", ref: "F1", sizeBytes: null }]);
    expect((await accepted(withFile)).kept).toEqual([withFile]);
    expect((await accepted(message("stop using red"))).kept).toEqual([message("stop using red")]);
  });
});
