import { expect, it } from "vitest";
import type { ThreadLine } from "../../../bots/shared/thread-line.ts";
import { parseCardAction } from "../../../bots/teams/card-actions.ts";
import { slashActivity } from "../../../bots/teams/slash-reply.ts";
import { teamsThreadKey } from "../../../bots/teams/teams-thread.ts";
import { actionsOf, cardProblem } from "../../fakes/teams/card-rules.ts";

const threads = ["1", "2"].map((root): ThreadLine => {
  const thread = teamsThreadKey("tenant", "19:eng@thread.tacv2", root);
  const rest = { place: null, requester: null, activeAt: 0, link: null };
  return { thread, sessionId: `sesn_${root}`, title: `Task ${root}`, state: "working", ...rest };
});

it("which thread is meant is asked by a card with a button for each, which says what was chosen", () => {
  const reply = { type: "pick", action: "steer", text: "use blue", markdown: "Whom should I tell this?" } as const;
  const [card] = slashActivity({ ...reply, threads }).attachments ?? [];
  expect(cardProblem(card?.content)).toBeNull();
  const chosen = actionsOf(card?.content).map(({ data }) => parseCardAction(data));
  const asked = threads.map(({ thread }) => ({ type: "pick", thread, action: "steer", text: "use blue" }));
  expect(chosen).toEqual(asked);
});
