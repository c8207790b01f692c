import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RetryableError } from "../../../src/errors.ts";
import { teamsThread } from "../../../bots/teams/teams-thread.ts";
import { openSurfaceRig, type SurfaceRig } from "./surface-rig.ts";

const { signal } = new AbortController();
let rig: SurfaceRig;
beforeAll(async () => {
  rig = await openSurfaceRig();
});
afterEach(() => rig.refuseViolations());
afterAll(() => rig.close());

/** A channel whose messages don't tell the group of their team, and how often Teams was asked since for it. */
async function openChannel() {
  await rig.database.prisma.teamsConversation.deleteMany();
  const { thread, conversation, rootId } = await rig.newThread("channel");
  const parts = teamsThread(thread);
  const before = rig.fake.callsTo("team").length;
  const kept = async () => {
    const found = await rig.conversations.find(parts.place);
    if (!found) throw new Error("The conversation is not kept.");
    return found;
  };
  return {
    place: parts.place,
    rootId,
    groupId: conversation.team?.aadGroupId,
    channelId: conversation.id,
    kept,
    asked: () => rig.fake.callsTo("team").length - before,
    of: async () => await rig.graphThreads.of(parts, (await kept()).ref, signal),
  };
}

describe("a channel of which messages don't tell the team's group", () => {
  it("has it from Teams, asked once, also when more is said there", async () => {
    const channel = await openChannel();
    const { groupId, channelId, rootId } = channel;
    const { ref } = await channel.kept();
    expect(ref.team?.aadGroupId).toBeNull();
    expect(await channel.of()).toMatchObject({ channel: { groupId, channelId, rootId } });
    await rig.conversations.keep(channel.place, ref);
    expect(await channel.of()).toMatchObject({ channel: { groupId } });
    expect(channel.asked()).toBe(1);
    expect((await channel.kept()).ref).toEqual({ ...ref, team: { ...ref.team, aadGroupId: groupId } });
  });

  it("is none for Graph where Teams refuses to tell, which is asked again another time", async () => {
    const channel = await openChannel();
    void rig.fake.fail("team", { type: "refuse", status: 403, code: "BotNotInConversationRoster" });
    expect(await channel.of()).toBeNull();
    expect((await channel.kept()).ref.team?.aadGroupId).toBeNull();
    expect(await channel.of()).toMatchObject({ channel: { groupId: channel.groupId } });
  });

  it("is looked up later while Teams can't be asked", async () => {
    const channel = await openChannel();
    void rig.fake.fail("team", { type: "http", status: 502 });
    await expect(channel.of()).rejects.toThrow(RetryableError);
  });
});

it("keeping a team's group leaves the rest as the latest activity said, and other teams as they are", async () => {
  const { place, kept, groupId = "" } = await openChannel();
  const { ref } = await kept();
  await rig.conversations.disable(place, "The bot was removed.");
  await rig.conversations.keepTeamGroup(place, "19:another@thread.tacv2", groupId);
  expect(await kept()).toEqual({ ref, disabled: "The bot was removed." });
  await rig.conversations.keepTeamGroup(place, ref.team?.id ?? "", groupId);
  expect(await kept()).toEqual({
    ref: { ...ref, team: { ...ref.team, aadGroupId: groupId } },
    disabled: "The bot was removed.",
  });
});
