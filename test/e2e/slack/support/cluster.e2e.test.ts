import { afterEach, describe, expect, it } from "vitest";
import { pollUntil } from "../../../../src/embedded/poll.ts";
import { says } from "../../../fakes/messages-answer.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./fake-slack-cluster.ts";
import { type LocalSlackCluster, startLocalSlackCluster } from "./local-slack-cluster.ts";

const WAIT = { timeoutMs: 60_000, signal: AbortSignal.any([]) };
const ANSWER = "Revenue grew by a tenth.";

let cluster: FakeSlackCluster | LocalSlackCluster | null = null;
afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

describe.each(["http", "socket"] as const)("Deckhand's processes over %s", (transport) => {
  it("answer a mention in our fake, also when the bots were killed before it came", async () => {
    const started = await startFakeSlackCluster({ transport });
    cluster = started;
    const { slack, model } = started;
    model.play("how is revenue?", says(ANSWER));
    await started.kill("bots");
    const { ts } = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> how is revenue?" });
    await started.start("bots");
    const answered = () => slack.thread("C01ENG", ts).find((each) => JSON.stringify(each).includes(ANSWER));
    const answer = await slack.until("the answer", answered, WAIT.timeoutMs);
    expect(answer).toMatchObject({ threadTs: ts, user: "U0BOT" });
  });

  it("answer a mention in local-slack", async () => {
    const started = await startLocalSlackCluster(transport);
    cluster = started;
    const { slack, model } = started;
    model.play("how is revenue?", says(ANSWER));
    const { ts } = await slack.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> how is revenue?" });
    const answered = async () =>
      (await slack.messages("C01ENG")).find((each) => each.thread_ts === ts && JSON.stringify(each).includes(ANSWER));
    expect(await pollUntil("the answer", answered, WAIT)).toMatchObject({ user: "U0BOT" });
  });
});
