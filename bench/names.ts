import { randomBytes } from "node:crypto";

/** Any that the provider under test serves. */
export const MODEL = "claude-haiku-4-5";

export const newApiKey = (): string => `dk_bench_${randomBytes(16).toString("hex")}`;

/** Where a server stands that is the internet to sandboxes. */
export const UPSTREAM_ADDRESS = "127.0.0.1";
