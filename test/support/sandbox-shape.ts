import { DEFAULT_LIMITS } from "../../src/sandbox/container-config.ts";
import type { SandboxLimits, SandboxShape } from "../../src/sandbox/sandbox.ts";

/** A sandbox as it is by default, but for these limits. */
export function shapeOf(image: string, limits: Partial<SandboxLimits> = {}): SandboxShape {
  return { image, limits: { ...DEFAULT_LIMITS, ...limits }, runtime: null };
}
