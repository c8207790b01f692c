import type { EventOf } from "../../src/schemas/event.ts";
import type { StatusStep } from "./chat-surface.ts";
import type { Turn } from "./turn.ts";

const LABEL = "Installing packages";

/** Pure: the turn while its environment is built, which is a step of its own until the one that waits for it goes on. */
export function buildInTurn(turn: Turn, { status, step }: EventOf<"deckhand.environment_build">): Turn {
  switch (status) {
    case "started":
    case "running":
      return { ...turn, build: { label: LABEL, state: "running", detail: step, toolCount: 0 } };
    case "finished":
      return { ...turn, ...closeBuild(turn, "done") };
    case "failed":
      return { ...turn, build: turn.build && { ...turn.build, state: "stopped" } };
  }
}

/** Pure: the build among the steps, before the one that waited for it. */
export function closeBuild({ steps, build }: Turn, state: StatusStep["state"]): Pick<Turn, "steps" | "build"> {
  if (!build) return { steps, build };
  const closed = { ...build, state: build.state === "running" ? state : build.state };
  return { steps: steps.toSpliced(-1, 0, closed), build: null };
}

/** Pure: the steps in the order in which people see them: what is at work comes last. */
export function shownSteps({ steps, build }: Turn): StatusStep[] {
  return build ? [...steps, build] : steps;
}
