import { beforeEach, describe, expect, it } from "vitest";
import { createScreen, type Prompt, type Screen } from "../../../bots/terminal/screen.ts";
import { createTerminalGrid } from "../../fakes/terminal-grid.ts";

let grid: ReturnType<typeof createTerminalGrid>;
let screen: Screen;
beforeEach(() => {
  grid = createTerminalGrid(20, 12);
  screen = createScreen(grid);
});

/** A prompt as readline draws it: from the row where it began, with the cursor left behind the input. */
function typed(input: () => string): Prompt {
  const rows = () => Math.floor((2 + input().length) / grid.columns);
  let drawnRows = 0;
  return {
    rowsAboveCursor: () => drawnRows,
    draw() {
      grid.write(`${drawnRows > 0 ? `\u001B[${drawnRows}A` : ""}\r\u001B[J> ${input()}`);
      drawnRows = rows();
    },
  };
}

describe("a screen", () => {
  it("keeps what is printed above what is live", () => {
    screen.live(["working 1"]);
    screen.print(["one", "two"]);
    screen.live(["working 2", "detail"]);
    screen.print(["three"]);
    expect(grid.shown()).toBe("one\ntwo\nthree\nworking 2\ndetail");
    screen.live([]);
    expect(grid.shown()).toBe("one\ntwo\nthree");
  });

  it("leaves nothing of a longer line behind", () => {
    screen.live(["a long line here"]);
    screen.live(["short"]);
    expect(grid.shown()).toBe("short");
  });

  it("keeps the prompt below, with what is being typed", () => {
    screen.setPrompt(typed(() => "half a"));
    screen.live(["working"]);
    screen.print(["done"]);
    screen.live(["working on"]);
    expect(grid.shown()).toBe("done\nworking on\n> half a");
  });

  it("keeps a prompt whose input takes several rows", () => {
    const input = "words that take more than one row";
    screen.setPrompt(typed(() => input));
    for (const step of ["one", "two", "three"]) {
      screen.live([`at ${step}`]);
      screen.print([step]);
    }
    expect(grid.shown()).toBe("one\ntwo\nthree\nat three\n> words that take mo\nre than one row");
  });

  it("takes an entered line off the screen, so that it can be printed in its place", () => {
    let input = "hello";
    screen.setPrompt(typed(() => input));
    screen.live(["working"]);
    input = "";
    grid.write("\r\n");
    screen.clearInput(1);
    screen.print(["you: hello"]);
    expect(grid.shown()).toBe("you: hello\nworking\n>");
  });

  it("shows the end of live lines that are more than the window takes", () => {
    screen.live(Array.from({ length: 30 }, (_, index) => `line ${index}`));
    screen.live(Array.from({ length: 30 }, (_, index) => `row ${index}`));
    expect(grid.shown().split("\n")).toEqual(Array.from({ length: 8 }, (_, index) => `row ${index + 22}`));
  });
});
