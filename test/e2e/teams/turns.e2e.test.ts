import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, gate, says, type StreamedAnswer } from "../../fakes/messages-answer.ts";
import { FILE_INFO } from "../../fakes/teams/activity-rules.ts";
import type { Activity } from "../../fakes/teams/world.ts";
import { newChannel, newGroup, newPerson } from "./support/places.ts";
import { ask, linksIn, type SeenThread } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

const BYTES = "quarter,revenue\nQ1,10\n";
const MAKE_FILE = bash(`printf '${BYTES.replaceAll("\n", String.raw`\n`)}' > /mnt/session/outputs/report.csv`);
const AI_LABEL = { type: "https://schema.org/Message", additionalType: ["AIGeneratedContent"] };

let cluster: TeamsCluster;
beforeAll(async () => {
  cluster = await startTeamsCluster({ env: { TEAMS_GRAPH: "1" } });
});
afterAll(() => cluster.close());

const PLACES = { channel: newChannel, group: newGroup, personal: newPerson };

/** An answer that is begun when it is let, and then stays half written until it is let go on. */
function halfWritten(words: string) {
  const [begin, goOn] = [gate(), gate()];
  const chunks = words.split(/(?<= )/);
  const answer: StreamedAnswer = { content: [{ type: "text", chunks }], before: begin, middle: goOn };
  return { answer, begin, goOn };
}

describe.each(Object.entries(PLACES))("in a %s", (where, make) => {
  it("shows that it works, how far it is, and then the answer, labelled as made by AI", async () => {
    const { teams, model } = cluster;
    const place = make(teams);
    const held = gate();
    model.play(`hello ${where}`, { ...bash("true"), before: held }, says("Good day to you all."));
    const thread = ask(cluster, place, `hello ${where}`);
    await held.reached;
    const card = await thread.reaches("Working");
    expect(JSON.stringify(card.wire)).toContain("Stop");
    held.open();
    const answer = await thread.says("Good day to you all.");
    await thread.reaches("Done");
    expect(answer.wire["entities"]).toContainEqual(expect.objectContaining(AI_LABEL));
    expect(answer.wire["channelData"]).toMatchObject({ feedbackLoop: { type: "default" } });
    expect(thread.said()).toEqual(["Good day to you all."]);
    expect(thread.statuses()).toEqual(["Done"]);
    expect(card.versions.length).toBeGreaterThan(1);
    expect(teams.callsTo("send").some(({ body }) => isTypingIn(body, card))).toBe(true);
  });
});

it("streams an answer in a personal chat while it is written, and ends the stream with the labelled whole", async () => {
  const { teams, model } = cluster;
  const person = newPerson(teams);
  const { answer, begin, goOn } = halfWritten("One word after the other, until all of them are there.");
  model.play("tell me", answer);
  const thread = ask(cluster, person, "tell me");
  await begin.reached;
  await thread.isFollowed();
  begin.open();
  const streamed = () => teams.streams.find(({ conversation }) => conversation.key === person);
  await thread.until("half of it in the stream", () => streamed()?.texts.some((text) => text.startsWith("One word")));
  expect(thread.said()).toEqual([]);
  goOn.open();
  const whole = await thread.says("until all of them are there.");
  await thread.reaches("Done");
  expect(streamed()).toMatchObject({ state: "final", id: whole.id });
  expect(thread.said()).toHaveLength(1);
  expect(whole.wire["entities"]).toContainEqual(expect.objectContaining(AI_LABEL));
});

it("channels show an answer only when it is whole, and no stream", async () => {
  const { answer, begin, goOn } = halfWritten("Written bit by bit.");
  cluster.model.play("in public", answer);
  const thread = ask(cluster, newChannel(cluster.teams), "in public");
  await begin.reached;
  await thread.isFollowed();
  begin.open();
  await goOn.reached;
  goOn.open();
  await thread.says("Written bit by bit.");
  expect(cluster.teams.streams.filter(({ conversation }) => conversation.kind !== "personal")).toEqual([]);
});

it("replies of a thread are turns of one session, and another thread of the channel is another session", async () => {
  const { teams, model } = cluster;
  const channel = newChannel(teams);
  model.play("first turn", says("One."));
  model.play("second turn", says("Two."));
  const thread = ask(cluster, channel, "first turn");
  await thread.reaches("Done");
  thread.say("second turn", { user: "bob" });
  await thread.reaches("Done", 2);
  const other = ask(cluster, channel, "first turn");
  await other.reaches("Done");
  expect(thread.said()).toEqual(["One.", "Two."]);
  expect(other.said()).toEqual(["One."]);
  expect(await other.session()).not.toBe(await thread.session());
});

describe("what people attach is in the sandbox:", () => {
  const read = bash("cat /mnt/session/uploads/*");
  it("in a personal chat, by the address that comes with it", async () => {
    await expectRead(ask(cluster, newPerson(cluster.teams), "read it", file("in person")), "in person");
  });

  it("in a channel, by Graph where that is granted", async () => {
    for (const permission of ["ChannelMessage.Read.All", "Files.Read.All"]) cluster.teams.permit(permission);
    await expectRead(ask(cluster, newChannel(cluster.teams), "read it", file("by graph")), "by graph");
  });

  async function expectRead(thread: SeenThread, words: string): Promise<void> {
    await thread.reaches("Done");
    expect(JSON.stringify(await thread.log())).toContain(words);
  }
  const file = (words: string) => {
    cluster.model.play("read it", read, says("I have read it."));
    return { files: [{ name: "notes.txt", bytes: Buffer.from(words) }] };
  };
});

describe("files that the agent made", () => {
  const made = async (place: string): Promise<SeenThread> => {
    cluster.model.play("make a report", MAKE_FILE, says("There it is."));
    const thread = ask(cluster, place, "make a report");
    await thread.reaches("Done");
    await thread.says("There it is.");
    await thread.until("the file's message", () => thread.fileMessages().length > 0);
    return thread;
  };
  const bytesBehind = async (message: Activity | undefined) => {
    const [link = ""] = message ? linksIn(message) : [];
    return await (await fetch(link)).text();
  };
  const asked = (thread: SeenThread) => thread.until("the consent card", () => thread.consentCards()[0]);
  const shown = ({ wire }: Activity) => JSON.stringify(wire["attachments"]);

  it("in a group are a card with a link that gives the same bytes", async () => {
    const thread = await made(newGroup(cluster.teams));
    expect(thread.fileMessages()).toHaveLength(1);
    expect(JSON.stringify(thread.fileMessages())).toContain("report.csv");
    expect(await bytesBehind(thread.fileMessages()[0])).toBe(BYTES);
  });

  it("in a channel likewise, until Graph is granted; then they are in the channel's own folder, too", async () => {
    const { teams } = cluster;
    const linked = await made(newChannel(teams));
    expect(await bytesBehind(linked.fileMessages()[0])).toBe(BYTES);
    expect(JSON.stringify(linked.fileMessages())).not.toContain(FILE_INFO);

    teams.permit("Files.ReadWrite.All");
    const channel = newChannel(teams);
    const stored = await made(channel);
    expect(stored.fileMessages()).toHaveLength(1);
    expect(JSON.stringify(stored.fileMessages())).toContain(FILE_INFO);
    expect(await bytesBehind(stored.fileMessages()[0])).toBe(BYTES);
    const item = teams.world.items.find(({ parentId }) => parentId === `folder-${channel}`);
    expect(item?.bytes.toString()).toBe(BYTES);
    expect(item?.name).toMatch(/^report \(\w+\)\.csv$/);
    expect(JSON.stringify(stored.fileMessages())).toContain(item?.webUrl);
  });

  it("in a personal chat are offered for OneDrive: allowed, they are uploaded and the offer becomes the file", async () => {
    const { teams } = cluster;
    const person = newPerson(teams);
    const thread = await made(person);
    const offer = await asked(thread);
    expect((await teams.consent(offer.id, person, "accept").done).status).toBe(200);
    await thread.until("the file's card", () => shown(offer).includes(FILE_INFO));
    const item = teams.world.items.find(({ driveId }) => driveId === `b!onedrive-${person}`);
    expect(item?.bytes.toString()).toBe(BYTES);
    expect(thread.consentCards()).toEqual([]);
    expect(
      await bytesBehind(
        thread.fileMessages()[0]?.id === offer.id ? thread.fileMessages()[1] : thread.fileMessages()[0],
      ),
    ).toBe(BYTES);
  });

  it("declined, the offer becomes a link", async () => {
    const { teams } = cluster;
    const person = newPerson(teams);
    const thread = await made(person);
    const offer = await asked(thread);
    await teams.consent(offer.id, person, "decline").done;
    await thread.until("the link", () => shown(offer).includes("Not saved to your OneDrive"));
    expect(await bytesBehind(offer)).toBe(BYTES);
    expect(thread.consentCards()).toEqual([]);
    expect(teams.world.items.filter(({ driveId }) => driveId === `b!onedrive-${person}`)).toEqual([]);
  });

  it("never answered, they have a link all the same", async () => {
    const thread = await made(newPerson(cluster.teams));
    await asked(thread);
    expect(await bytesBehind(thread.fileMessages()[0])).toBe(BYTES);
  });
});

function isTypingIn(body: unknown, { conversation, rootId }: Activity): boolean {
  const { type, conversation: where } = Object(body);
  const id = rootId === null ? conversation.id : `${conversation.id};messageid=${rootId}`;
  return type === "typing" && Object(where).id === id;
}
