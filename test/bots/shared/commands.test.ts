import { describe, expect, it } from "vitest";
import { nearest, parseCommand } from "../../../bots/shared/commands.ts";

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
  ])("none, but a message for the agent: %j", (text) => {
    expect(parseCommand(text)).toBeNull();
  });

  it.each([
    ["/stauts", "status"],
    ["/stp", "stop"],
    ["/hlep", "help"],
    ["/nwe", "new"],
    ["/budget", null],
  ])("that is none of ours is recognised: %j, nearest %j", (text, expected) => {
    expect(parseCommand(text)).toEqual({ type: "unknown", name: text.slice(1), nearest: expected });
  });
});

describe("the nearest name", () => {
  it("is the one with the fewest edits, and none when all are far", () => {
    expect(nearest("atach", ["stop", "attach"])).toBe("attach");
    expect(nearest("xyzzy", ["stop", "attach"])).toBeNull();
  });
});
