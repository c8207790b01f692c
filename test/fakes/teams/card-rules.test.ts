import { describe, expect, it } from "vitest";
import { actionsOf, cardProblem } from "./card-rules.ts";

const card = (more: Record<string, unknown>) => ({ type: "AdaptiveCard", version: "1.5", ...more });
const stop = {
  type: "Action.Execute",
  title: "Stop",
  verb: "stop",
  data: { id: 1 },
  fallback: { type: "Action.Submit" },
};

describe("an Adaptive Card", () => {
  it("may have everything of version 1.5", () => {
    const body = [
      { type: "TextBlock", text: "Working", wrap: true },
      { type: "ColumnSet", columns: [{ width: "auto", items: [{ type: "Image", url: "https://x.test/a.png" }] }] },
      { type: "FactSet", facts: [{ title: "Cost", value: "1" }] },
      {
        type: "Table",
        columns: [{ width: 1 }],
        rows: [{ type: "TableRow", cells: [{ type: "TableCell", items: [] }] }],
      },
      {
        type: "Container",
        items: [
          { type: "Input.Text", id: "why" },
          { type: "ActionSet", actions: [stop] },
        ],
      },
      { type: "RichTextBlock", inlines: [{ type: "TextRun", text: "a" }] },
    ];
    const actions = [stop, { type: "Action.ShowCard", title: "More", card: card({ body }) }];
    expect(cardProblem(card({ body, actions, msteams: { width: "Full" } }))).toBeNull();
  });

  it.each([
    ["no card", { type: "Card" }],
    ["a version that Teams lacks", card({ version: "1.6" })],
    ["a field that cards lack", card({ colour: "red" })],
    ["an element that is unknown, however deep", card({ body: [{ type: "Container", items: [{ type: "Text" }] }] })],
    ["an element without what it needs", card({ body: [{ type: "FactSet" }] })],
    ["an unknown action", card({ actions: [{ type: "Action.Http", title: "a" }] })],
    ["Action.Execute that older clients can't press", card({ actions: [{ ...stop, fallback: undefined }] })],
    ["Action.Execute whose fallback is no button", card({ actions: [{ ...stop, fallback: "drop" }] })],
    ["Action.Execute without verb", card({ body: [{ type: "ActionSet", actions: [{ ...stop, verb: undefined }] }] })],
    ["too many actions", card({ actions: Array.from({ length: 7 }, () => stop) })],
    [
      "too many people to refresh for",
      card({ refresh: { action: stop, userIds: Array.from({ length: 61 }, String) } }),
    ],
  ])("is refused with %s", (_, content) => {
    expect(cardProblem(content)).not.toBeNull();
  });

  it("tells its actions, those in cards that it shows too", () => {
    const shown = { type: "Action.ShowCard", title: "More", card: card({ actions: [{ ...stop, verb: "deny" }] }) };
    const inside = { type: "Container", items: [{ type: "ActionSet", actions: [stop] }] };
    const verbs = actionsOf(card({ body: [inside], actions: [shown] })).map(({ verb, title }) => verb ?? title);
    expect(verbs).toEqual(["More", "deny", "stop"]);
  });
});
