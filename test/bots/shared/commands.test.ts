import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommand, parseSlash } from "../../../bots/shared/commands.ts";

describe("a command", () => {
  it.each([
    "stop",
    "Stop",
    "STOP!",
    " stop. ",
    "/stop",
    "please stop",
    "stop please",
    "ok, stop",
    "Hey, stop it",
    "stop now",
    "no, wait, stop that please",
    "cancel",
    "abort",
    "halt",
    "stop everything",
    "🛑",
    "stop working!!",
  ])("stop: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "stop" });
  });

  it.each(["status", "Status?", "/status", "what's the status", "how far are you?"])("status: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "status" });
  });

  it.each(["new", "/new", "start over", "New thread", "please start afresh"])("new: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "new" });
  });

  it.each(["help", "/help", "Help!"])("help: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "help" });
  });

  it.each([
    "stop using red in the chart",
    "don't stop",
    "Cancel my order in row 12",
    "new columns for margin",
    "status of order 5?",
    "help me clean this",
    "/mnt/data is full",
    "please",
    "",
    "ok",
    "nonstop",
    "use blue instead",
    "use the blue one",
    "use agent names from the second column instead",
    "agents in column B are missing",
    "usage of the meeting rooms",
    "steer clear of pie charts",
    "approve",
    "approved",
    "yes, go ahead",
    "no",
    "deny",
    "deny: too risky",
    "/budget for next year is too high, please cut it",
    "/status is the name of the sheet I mean",
  ])("none, but a message for the agent: %j", (text) => {
    expect(parseCommand(text)).toBeNull();
  });

  it.each(["agents", "/agents", "list agents", "Which agents are there?"])("agents: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "agents" });
  });

  it.each(["usage", "/usage", "show my usage", "my usage please"])("usage: %j", (text) => {
    expect(parseCommand(text)).toEqual({ type: "usage" });
  });

  it.each([
    ["/use Reports", "Reports"],
    ["/use agent_01AbC", "agent_01AbC"],
    ["/use agent Reports", "Reports"],
    ['/use "Board decks"', "Board decks"],
    ["/use", ""],
  ])("use: %j names %j", (text, agent) => {
    expect(parseCommand(text)).toEqual({ type: "use", agent, sentence: null });
  });

  it.each([
    ["use agent Reports", "Reports"],
    ["please use the agent Board decks", "Board decks"],
    ["Use the reports agent.", "reports"],
    ["switch to agent reports", "reports"],
    ["use agent names instead", "names instead"],
  ])("use: %j names %j, and keeps the words, which may mean something else", (text, agent) => {
    expect(parseCommand(text)).toEqual({ type: "use", agent, sentence: text });
  });

  it.each([
    [
      "/steer use green in all of the charts, and mind the legend",
      "use green in all of the charts, and mind the legend",
    ],
    ["Steer: use Green", "use Green"],
    ["/steer", ""],
    ["/steer first line\nsecond line", "first line\nsecond line"],
  ])("steer: %j says %j", (text, words) => {
    expect(parseCommand(text)).toEqual({ type: "steer", text: words });
  });

  it("approve and deny with a slash count always", () => {
    expect(parseCommand("/approve")).toEqual({ type: "approve" });
    expect(parseCommand("/deny")).toEqual({ type: "deny", reason: null });
    expect(parseCommand("/deny Not on Fridays")).toEqual({ type: "deny", reason: "Not on Fridays" });
  });

  it("is never a sentence of eight words or more, except for what takes words", () => {
    const word = fc.oneof(fc.constantFrom(...VOCABULARY), fc.stringMatching(/^[a-z]{1,8}$/));
    const sentence = fc.array(word, { minLength: 8, maxLength: 14 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(sentence, fc.boolean(), (text, approvalOpen) => {
        expect([undefined, "steer", "deny"]).toContain(parseCommand(text, { approvalOpen })?.type);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["/stauts", "status"],
    ["/stp", "stop"],
    ["/hlep", "help"],
    ["/nwe", "new"],
    ["/budget", null],
    ["/aprove", "approve"],
    ["/agnets", "agents"],
  ])("that is none of ours is recognised: %j, nearest %j", (text, expected) => {
    expect(parseCommand(text)).toEqual({ type: "unknown", name: text.slice(1), nearest: expected });
  });
});

describe("while an approval is open", () => {
  const parse = (text: string) => parseCommand(text, { approvalOpen: true });

  it.each([
    "approve",
    "Approved.",
    "I approve",
    "approve it",
    "yes",
    "Yes!",
    "yep",
    "yes, go ahead",
    "ok, go ahead",
    "go ahead please",
    "please proceed",
    "LGTM",
    "lgtm!",
    "looks good to me",
    "yes, do it",
    "run it",
    "allow this",
    "ok yes",
    "sure, go for it",
    "👍",
    "✅",
    "/approve",
  ])("approve: %j", (text) => {
    expect(parse(text)).toEqual({ type: "approve" });
  });

  it.each([
    ["deny", null],
    ["Denied.", null],
    ["no", null],
    ["No!", null],
    ["nope", null],
    ["no, don't", null],
    ["No, don’t do that.", null],
    ["please don't", null],
    ["don't run it", null],
    ["do not", null],
    ["reject it", null],
    ["👎", null],
    ["deny: too risky", "too risky"],
    ["deny too risky", "too risky"],
    ["Deny — not on Fridays", "not on Fridays"],
    ["rejected, that table is in use", "that table is in use"],
    ["no: use the copy", "use the copy"],
    ["no, because it is in use", "it is in use"],
    [
      "don't do that, the other team still reads from this table every day",
      "the other team still reads from this table every day",
    ],
    ["/deny", null],
  ])("deny: %j for the reason %j", (text, reason) => {
    expect(parse(text)).toEqual({ type: "deny", reason });
  });

  it.each([
    "approved?",
    "yes?",
    "yes, but use the other table",
    "yes and add a chart",
    "approve only the first",
    "approved budgets go into column C",
    "not approved",
    "go ahead with the blue version",
    "lgtm but fix the title",
    "no, wait",
    "no, use the other table instead",
    "no idea",
    "reject rows without a date",
    "don't use red",
    "ok",
    "thanks",
    "what does it do?",
  ])("neither, but a message for the agent: %j", (text) => {
    expect(parse(text)).toBeNull();
  });

  it("a text as long as a document is a message", () => {
    expect(parse(`deny: ${"because ".repeat(1_000)}`)).toBeNull();
    expect(parse(`stop${" ".repeat(40_000)}it`)).toBeNull();
  });

  it("stop still stops", () => {
    expect(parse("stop")).toEqual({ type: "stop" });
    expect(parse("no, stop")).toEqual({ type: "stop" });
  });
});

describe("behind the app's own slash command", () => {
  it.each([
    ["", { type: "help" }],
    ["  ", { type: "help" }],
    ["help", { type: "help" }],
    ["STOP", { type: "stop" }],
    ["stop it please", { type: "stop" }],
    ["cancel", { type: "stop" }],
    ["start over", { type: "new" }],
    ["/status", { type: "status" }],
    ["what's the status?", { type: "status" }],
    [
      "steer use green, and mind the legend of the second chart",
      { type: "steer", text: "use green, and mind the legend of the second chart" },
    ],
    ["steer: use green", { type: "steer", text: "use green" }],
    ["steer", { type: "steer", text: "" }],
    ["use blue", { type: "use", agent: "blue", sentence: null }],
    ["use agent Board decks", { type: "use", agent: "Board decks", sentence: null }],
    ["agents", { type: "agents" }],
    ["usage", { type: "usage" }],
    ["deny too risky", { type: "deny", reason: "too risky" }],
    ["stauts", { type: "unknown", name: "stauts", nearest: "status" }],
    ["make me a report", { type: "unknown", name: "make", nearest: null }],
  ] as const)("%j", (text, command) => {
    expect(parseSlash(text)).toEqual(command);
  });
});

/** Words that commands are made of. */
const VOCABULARY = [
  "stop",
  "please",
  "now",
  "status",
  "new",
  "help",
  "use",
  "agent",
  "the",
  "agents",
  "usage",
  "/use",
  "/stop",
  "/approve",
  "approve",
  "yes",
  "yes,",
  "go",
  "ahead",
  "ok",
  "ok,",
  "no",
  "lgtm",
  "do",
  "it",
  "this",
  "run",
  "/budget",
];
