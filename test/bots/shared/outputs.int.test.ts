import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import { TerminalError } from "../../../src/errors.ts";
import { event, idleEvent, interruptEvent, said } from "../../fakes/played-turns.ts";
import { type DeliveryRig, dyingStore, Killed, startDeliveryRig } from "../../support/delivery-rig.ts";

let rig: DeliveryRig;
let records: ChatRecords;
beforeAll(async () => {
  rig = await startDeliveryRig();
  records = createDatabaseChatRecords(rig.database);
});
afterAll(() => rig.close());

const withPolicy = (fields: { postFiles: boolean }): ChatRecords => ({
  ...records,
  policies: { ...records.policies, of: async (place) => ({ ...(await records.policies.of(place)), ...fields }) },
});
const linkIn = (words: string | undefined) => /\((http[^)]+)\)/.exec(words ?? "")?.[1] ?? "";

describe("files of a turn", () => {
  it("come as links that work where the channel's policy keeps files out", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.output(sessionId, "report [1].csv", "a,b");
    await rig.playWholeTurn(sessionId, "Here.");
    await deliver({ records: withPolicy({ postFiles: false }) });
    expect(service.uploads).toEqual([]);
    const [answer, links] = service.words();
    expect(answer).toBe("Here.");
    expect(links).toContain("(3 B), until ");
    expect(await (await fetch(linkIn(links))).text()).toBe("a,b");
    await deliver({ records });
    expect(service.uploads).toEqual([]);
    expect(service.words()).toHaveLength(2);
  });

  it("are posted but for those that the surface refuses, which come as links", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.output(sessionId, "fine.csv", "a,b");
    await rig.output(sessionId, "huge.csv", "c,d");
    await rig.playWholeTurn(sessionId, "Here.");
    service.refuse("huge.csv", new TerminalError("it is larger than 1 GB."));
    await deliver();
    expect(service.uploads.map(({ files }) => files.map(({ name }) => name))).toEqual([["fine.csv"]]);
    expect(service.words()[1]).toContain("I could not post `huge.csv` here: it is larger than 1 GB.");
    expect(await (await fetch(linkIn(service.words()[1]))).text()).toBe("c,d");
  });

  it.each([2, 3, 4, 5])("are brought once when the deliverer dies at its write number %i", async (nth) => {
    for (const method of ["intend", "settle"] as const) {
      const { key, sessionId, service, store, deliver } = await rig.openThread();
      await rig.output(sessionId, "fine.csv", "a,b");
      await rig.output(sessionId, "huge.csv", "c,d");
      await rig.playWholeTurn(sessionId, "Here.");
      service.refuse("huge.csv", new TerminalError("it is too large."));
      const dying = deliver({ store: dyingStore(store, method, "after", nth) });
      await dying.catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      await rig.expireLease(key);
      await deliver();
      expect(service.uploads.map(({ files }) => files.map(({ name }) => name))).toEqual([["fine.csv"]]);
      expect(service.words()).toHaveLength(2);
    }
  });

  it("are told of by name where the server gives out no links", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.output(sessionId, "huge.csv", "c,d");
    await rig.playWholeTurn(sessionId, "Here.");
    service.refuse("huge.csv", new TerminalError("it is too large."));
    const client = rig.client.withOptions({
      fetch: async (url, init) => {
        const { pathname } = new URL(url instanceof Request ? url.url : url);
        return pathname.endsWith("/link") ? new Response("{}", { status: 404 }) : fetch(url, init);
      },
    });
    await deliver({ client });
    expect(service.words()[1]).toBe("I could not post `huge.csv` here: it is too large.");
  });

  it("of a turn that was stopped still come, though its answer does not", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.begin(sessionId);
    await rig.output(sessionId, "half.csv", "a");
    await rig.turns.commit(sessionId, said("Almost"), interruptEvent(), idleEvent());
    await deliver();
    expect(service.words()).toEqual([]);
    expect(service.uploads).toHaveLength(1);
  });
});

describe("what a turn cost", () => {
  it("is on its status, counted for its channel, and counted once", async () => {
    const { key, sessionId, service, deliver } = await rig.openThread();
    await records.directory.began(key, { place: "slack:T1:C_COST", requester: "U1", title: "Count" });
    await rig.begin(sessionId);
    await rig.turns.commit(sessionId, said("Done."), usage("120"), idleEvent());
    await deliver({ records });
    await deliver({ records });
    expect(service.statuses()).toMatchObject([{ costCents: 120 }]);
    const month = new Date().toISOString().slice(0, 7);
    expect(await records.spend.sum(month, { place: "slack:T1:C1" })).toMatchObject({ costCents: 120, tokens: 15 });
    expect((await records.directory.summary(key))?.state).toBe("done");
  });
});

function usage(cents: string) {
  return event("session.usage", {
    usage: {
      input_tokens: 10,
      output_tokens: 5,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      active_seconds: 1,
      list_cost: { amount: cents, currency: "USD" },
    },
    budget: null,
  });
}
