import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sealFile, type TeamsFile } from "../../../bots/teams/attachment-ref.ts";
import { createTeamsSource, type TeamsSourceOptions } from "../../../bots/teams/source.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { TerminalError } from "../../../src/errors.ts";
import { openSurfaceRig, type SurfaceRig } from "./surface-rig.ts";

const { signal } = new AbortController();
let rig: SurfaceRig;
beforeAll(async () => {
  rig = await openSurfaceRig();
});
afterEach(() => rig.refuseViolations());
afterAll(() => rig.close());

function source(more: Partial<TeamsSourceOptions> = {}) {
  const { connector, conversations, people, graph, graphThreads, cipher, fake } = rig;
  const base = { connector, conversations, people, graph, graphThreads, cipher, hosts: [fake.url] };
  return createTeamsSource({ ...base, fileBytesMax: 1_000_000, teamsUrl: "https://teams.microsoft.com", ...more });
}

async function refOf(thread: ChatThreadKey, file: TeamsFile) {
  return { filename: "x", ref: await sealFile(rig.cipher, thread, file), sizeBytes: null };
}

describe("what was said before", () => {
  it("is told of a channel's thread with names, ours apart, and files, where Graph may be asked", async () => {
    const { thread, rootId, user } = await rig.newThread("channel");
    for (const each of ["ChannelMessage.Read.All", "Files.Read.All"]) rig.fake.permit(each);
    const root = rootId ?? "";
    const bytes = Buffer.from("a,b");
    rig.fake.say({
      user: "bob",
      conversation: "eng",
      rootId: root,
      text: "see this",
      mention: false,
      files: [{ name: "q3.csv", bytes }],
    });
    await rig.surface().post(thread, { type: "text", markdown: "I looked.", answerId: null }, "dh_1", signal);
    const asked = rig.fake.say({ user: user.id, conversation: "eng", rootId: root, text: "so?" });
    const earlier = await source().earlier(thread, asked.id, 50, signal);
    expect(earlier.map(({ author, byAgent, text }) => ({ author, byAgent, text }))).toEqual([
      { author: "Alice Acme", byAgent: false, text: expect.stringContaining("hello") },
      { author: "Bob Acme", byAgent: false, text: "see this" },
      { author: "Deckhand", byAgent: true, text: "I looked." },
    ]);
    const [attachment] = earlier[1]?.attachments ?? [];
    expect(attachment?.filename).toBe("q3.csv");
    const opened = attachment && (await source().open(thread, attachment, signal));
    expect(opened).toBeInstanceOf(File);
    expect(await opened?.text()).toBe("a,b");
    expect(await source().earlier(thread, root, 50, signal)).toEqual([]);
  });

  it("is missing with one line on what to enable, said once in a thread", async () => {
    const { thread } = await rig.newThread("groupChat");
    const without = source({ graph: null });
    await expect(without.earlier(thread, "9999999999999", 50, signal)).rejects.toThrow(/docs\/teams\.md/);
    expect(await without.earlier(thread, "9999999999999", 50, signal)).toEqual([]);
    const refused = source();
    await expect(refused.earlier(thread, "9999999999999", 50, signal)).rejects.toThrow(/teams check/);
    expect(await refused.earlier(thread, "9999999999999", 50, signal)).toEqual([]);
  });

  it("is nothing in a personal chat, where all was for the agent", async () => {
    const { thread } = await rig.newThread("personal");
    expect(await source({ graph: null }).earlier(thread, "1", 50, signal)).toEqual([]);
  });
});

describe("a file in a personal chat", () => {
  it("is fetched without a token, for as long as its address works", async () => {
    const { thread } = await rig.newThread("personal");
    const item =
      rig.fake.world.items[0] ??
      (() => {
        throw new Error("no file");
      })();
    const url = `${rig.fake.url}/onedrive/download/${item.id}?tempauth=over`;
    await expect(source().open(thread, await refOf(thread, { type: "download", url }), signal)).rejects.toThrow(
      /Attach it again/,
    );
    const said = rig.fake.say({
      user: "alice",
      conversation: "alice",
      text: "here",
      files: [{ name: "n.csv", bytes: Buffer.from("1") }],
    });
    const [attached] = Object(said.sent?.delivery.activity)["attachments"];
    const ref = await refOf(thread, { type: "download", url: attached.content.downloadUrl });
    expect(await (await source().open(thread, ref, signal)).text()).toBe("1");
    await expect(source({ hosts: ["*.sharepoint.com"] }).open(thread, ref, signal)).rejects.toThrow(TerminalError);
    await expect(source({ fileBytesMax: 0 }).open(thread, ref, signal)).rejects.toThrow(/larger than/);
  });

  it("that is a picture in the text opens with our token, which goes nowhere else", async () => {
    const { thread } = await rig.newThread("personal");
    const bytes = Buffer.from("PNG");
    const said = rig.fake.say({
      user: "alice",
      conversation: "alice",
      text: "look",
      files: [{ name: "p.png", bytes, inline: true }],
    });
    const [inline] = Object(said.sent?.delivery.activity)["attachments"];
    const ref = await refOf(thread, { type: "inline", url: inline.contentUrl });
    expect(await (await source().open(thread, ref, signal)).text()).toBe("PNG");
    const elsewhere = await refOf(thread, { type: "inline", url: "https://evil.test/v3/attachments/1" });
    await expect(source().open(thread, elsewhere, signal)).rejects.toThrow(/outside of Teams/);
  });
});

it("files of channels say what to enable where Graph may not be asked", async () => {
  const { thread } = await rig.newThread("channel");
  const ref = await refOf(thread, { type: "graph", messageId: "1", attachmentId: "a" });
  await expect(source({ graph: null }).open(thread, ref, signal)).rejects.toThrow(/docs\/teams\.md/);
});

it("whether somebody is in a group is known when Graph may be asked, and till then what is missing", async () => {
  const { user } = await rig.newThread("channel");
  const group = "9a0b0000-0000-4000-8000-000000000001";
  const { fake } = rig;
  fake.world.tenants.get(fake.tenantId)?.groups.set(group, new Set([user.id]));
  const inGroup = (id: string, personId: string) => source().inGroup(`teams:${fake.tenantId}:c`, id, personId, signal);
  await expect(inGroup(group, user.id)).rejects.toThrow(/may not ask who is in which group.*teams check/);
  fake.permit("Directory.Read.All");
  expect(await inGroup(group, user.id)).toBe(true);
  expect(await inGroup(group, "aad00000-0000-4000-8000-00000000000f")).toBe(false);
  expect(await inGroup("9a0b0000-0000-4000-8000-000000000002", user.id)).toBe(false);
});

describe("a file that a message refers to", () => {
  /** As a client may: it can put any address into what it sends. */
  const attach = async (kind: "channel" | "groupChat", by: string, driveId?: string) => {
    const { thread, rootId, user, conversation } = await rig.newThread(kind);
    for (const each of ["ChannelMessage.Read.All", "Chat.Read.All", "Files.Read.All"]) rig.fake.permit(each);
    const files = [{ name: `${kind}-${driveId ?? "here"}.csv`, bytes: Buffer.from("100") }];
    const root = rootId === null ? {} : { rootId };
    const said = rig.fake.say({ user: user.id, conversation: conversation.id, text: "sum", files, ...root });
    const item = rig.fake.world.items.at(-1);
    if (!item) throw new Error("The fake Teams kept no file.");
    Object.assign(item, { by, ...(driveId !== undefined && { driveId }) });
    const file = { type: "graph" as const, messageId: said.id, attachmentId: item.uniqueId };
    return source().open(thread, await refOf(thread, file), signal);
  };

  it.each(["channel", "groupChat"] as const)(
    "is not read in a %s when it is somebody else's and elsewhere, whatever the app may read",
    async (kind) => {
      await expect(attach(kind, "somebody-else", "b!hr")).rejects.toThrow(/neither the sender's own nor/);
    },
  );

  it("is read when it is in the channel's own drive, whoever made it", async () => {
    expect(await (await attach("channel", "somebody-else")).text()).toBe("100");
  });
});

describe("people", () => {
  it("are members or guests, and unknown ones are refused", async () => {
    const { thread } = await rig.newThread("channel");
    const byKey = (key: string) => rig.fake.world.users.find((user) => user.key === key)?.aadObjectId ?? "";
    expect(await source().person(thread, byKey("bob"), signal)).toEqual({
      id: byKey("bob"),
      name: "Bob Acme",
      email: "bob@acme.test",
      kind: "member",
    });
    expect(await source().person(thread, byKey("gustav"), signal)).toMatchObject({ kind: "guest" });
    await expect(source().person(thread, byKey("zoe"), signal)).rejects.toThrow(TerminalError);
  });
});

it("a channel's thread has a link, other chats have none", async () => {
  const channel = await rig.newThread("channel");
  const link = await source().linkTo(channel.thread, signal);
  expect(link).toContain(`https://teams.microsoft.com/l/message/19%3A0000eng%40thread.tacv2/${channel.rootId}?`);
  expect(new URL(link ?? "").searchParams.get("parentMessageId")).toBe(channel.rootId);
  const group = await rig.newThread("groupChat");
  expect(await source().linkTo(group.thread, signal)).toBeNull();
});
