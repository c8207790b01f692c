import type { Measure } from "./figure.ts";

/** What can be measured, by name. Each is loaded only when it is asked for. */
export const FIGURES: Record<string, () => Promise<Measure>> = {
  "turn-overhead": async () => (await import("./turn-overhead.ts")).measureTurnOverhead,
  "first-token": async () => (await import("./time-to-first-token.ts")).measureTimeToFirstToken,
  append: async () => (await import("./append.ts")).measureAppend,
  "tool-call": async () => (await import("./tool-call.ts")).measureToolCall,
  "sandbox-start": async () => (await import("./sandbox-start.ts")).measureSandboxStart,
  "sandbox-files": async () => (await import("./sandbox-files.ts")).measureSandboxFiles,
  "sandbox-crowd": async () => (await import("./sandbox-crowd.ts")).measureSandboxCrowd,
  gateway: async () => (await import("./gateway.ts")).measureGateway,
  mention: async () => (await import("./mention.ts")).measureMention,
  "mention-burst": async () => (await import("./mention-burst.ts")).measureMentionBurst,
  recovery: async () => (await import("./recovery.ts")).measureRecovery,
};
