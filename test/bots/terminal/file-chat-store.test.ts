import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { openFileChatStore } from "../../../bots/terminal/file-chat-store.ts";
import { chatStoreContract } from "../../contracts/chat-store.ts";

chatStoreContract("file", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "deckhand-store-"));
  return {
    store: await openFileChatStore(path.join(folder, "thread.json")),
    close: () => rm(folder, { recursive: true }),
  };
});

it("a process that comes after a dead one finds its facts, and nothing of what it held", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "deckhand-store-"));
  const file = path.join(folder, "thread.json");
  const key = "terminal:t1";
  const dead = await openFileChatStore(file);
  await dead.threads.reserveSession(key, "dead", 60_000);
  await dead.deliveries.lease(key, "dead", 60_000);
  await dead.deliveries.intend(key, "answer:1");
  await dead.inbound.claim(key, "m1", 60_000);

  const next = await openFileChatStore(file);
  expect((await next.threads.reserveSession(key, "next", 60_000))?.triedSince).toBeInstanceOf(Date);
  expect(await next.deliveries.lease(key, "next", 60_000)).toBe(true);
  expect(await next.deliveries.intend(key, "answer:1")).toEqual({ ref: null, fresh: false });
  expect(await next.inbound.claim(key, "m1", 60_000)).toBe("unfinished");
  await rm(folder, { recursive: true });
});
