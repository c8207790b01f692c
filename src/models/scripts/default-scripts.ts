import { createBoardDeckScript } from "./board-deck/board-deck.ts";
import { loadPrograms } from "./board-deck/programs.ts";
import { introduction } from "./introduction.ts";
import { runCommand } from "./run-command.ts";
import type { Script } from "./script.ts";

/** All scripts, the first that fits a request plays it. Reads the programs that they write into the sandbox from disk. */
export function defaultScripts(): Script[] {
  return [runCommand, createBoardDeckScript(loadPrograms()), introduction];
}
