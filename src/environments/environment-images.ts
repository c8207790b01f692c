import { TerminalError } from "../errors.ts";
import type { SandboxShape } from "../sandbox/sandbox.ts";
import type { EnvironmentBuild } from "../schemas/event.ts";

/** What the harness asks before it makes a sandbox. */
export interface EnvironmentShapes {
  /**
   * The shape that the session's environment asks for, as the environment is now. Where its packages are in no image yet,
   * waits until they are: minutes.
   * @throws EnvironmentBuildError, the signal's reason, or what `onBuild` rejects with
   */
  shapeFor(session: { sessionId: string; workspaceId: string }, options: ShapeOptions): Promise<SandboxShape>;
}

export interface ShapeOptions {
  /**
   * Told of a build that has to be waited for, one call at a time: `started`, then `running` with each step, at last
   * `finished` or `failed`. Not called at all when the image is there.
   */
  onBuild(build: EnvironmentBuild): Promise<void>;
  signal: AbortSignal;
}

/** An environment's packages could not be installed. The message is for people and ends with the package manager's last lines. */
export class EnvironmentBuildError extends TerminalError {
  override readonly name = "EnvironmentBuildError";
}
