import { text } from "node:stream/consumers";
import { NO_CRASH } from "../../src/harness/crash-points.ts";
import type { DeniedRequest } from "../../src/harness/denied-requests.ts";
import { type HarnessDeps, runSession } from "../../src/harness/run-session.ts";
import type { SessionFiles } from "../../src/harness/session-files.ts";
import { createAnthropicProvider } from "../../src/models/anthropic.ts";
import { createModelRegistry } from "../../src/models/registry.ts";
import { createSandboxStore } from "../../src/sandbox/sandbox-store.ts";
import { createSessionEquipment } from "../../src/roles/session-equipment.ts";
import type { SessionEvent } from "../../src/schemas/event.ts";
import { createEquipmentStore } from "../../src/sessions/equipment-store.ts";
import type { SessionVariable } from "../../src/vaults/session-credentials.ts";
import { type MessagesApi, startMessagesApi } from "../fakes/anthropic-messages.ts";
import { createFakeSandboxes, type FakeSandboxes, type RunOp, textResult } from "../fakes/sandbox.ts";
import { shapeOf } from "./sandbox-shape.ts";
import { openSessionDatabase, type SessionDatabase } from "./session-database.ts";
import { SILENT } from "./silent-log.ts";

const RETRY = { attemptsMax: 3, baseMs: 1, delayMaxMs: 5 };
/** Long enough for a busy machine, where silence is not what is tested. */
const SILENCE_TIMEOUT_MS = 20_000;

/** A harness over real Postgres and the Messages API by HTTP; only the sandbox is in memory, so that tests can steer it. */
export interface HarnessRig extends SessionDatabase {
  api: MessagesApi;
  sandboxes: FakeSandboxes;
  /** What the harness saved, by path. */
  saved: Map<string, string>;
  /** Sessions a harness asked to be looked at again. */
  hinted: string[];
  /** What the sandbox does. Set it per test. */
  run: RunOp;
  /** What the vaults of every session hold that names any. */
  variables: SessionVariable[];
  /** What the gateway refused. */
  denied: (DeniedRequest & { at: Date })[];
  deps(overrides?: Partial<HarnessDeps>): HarnessDeps;
  /** One job: runs the session until it is idle or must wait. */
  runSession(sessionId: string, overrides?: Partial<HarnessDeps>, stopping?: AbortSignal): Promise<void>;
  /** Sends a message and runs the session. */
  turn(sessionId: string, ...texts: (string | null)[]): Promise<void>;
  types(sessionId: string): Promise<string[]>;
  /** @throws when the harness sent anything that the Messages API refuses */
  close(): Promise<void>;
}

export async function startHarnessRig(
  options: { leaseMs?: number; silenceTimeoutMs?: number } = {},
): Promise<HarnessRig> {
  const database = await openSessionDatabase(options);
  const api = await startMessagesApi();
  const provider = createAnthropicProvider({
    apiKey: api.apiKey,
    baseUrl: api.url,
    silenceTimeoutMs: options.silenceTimeoutMs ?? SILENCE_TIMEOUT_MS,
  });
  const saved = new Map<string, string>();
  const hinted: string[] = [];
  const echo: RunOp = async (op) => textResult(op.op === "bash" ? `ran ${op.command}` : `did ${op.op}`);
  const sandboxes = createFakeSandboxes((op, signal) => rig.run(op, signal));

  const rig: HarnessRig = {
    ...database,
    api,
    sandboxes,
    saved,
    hinted,
    run: echo,
    variables: [],
    denied: [],
    deps: (overrides = {}) => ({
      log: database.log,
      leases: database.leases,
      wakeups: database.wakeups,
      files: filesIn(saved),
      findModel: createModelRegistry([provider]).find,
      sandboxes: {
        provider: sandboxes.provider,
        store: createSandboxStore(database.pool),
        environments: { shapeFor: async () => shapeOf("test") },
      },
      equipment: createSessionEquipment({
        store: createEquipmentStore(database.pool),
        variables: { variables: async () => rig.variables },
        placeholders: (sessionId, credentialId) => `placeholder-${sessionId}-${credentialId}`,
        packageHosts: [],
      }),
      deniedRequests: { deniedSince: async (_, since) => rig.denied.filter(({ at }) => at >= since) },
      hint: async (sessionId) => void hinted.push(sessionId),
      retry: RETRY,
      leaseMs: database.leaseMs,
      owner: "harness-a",
      crashPoint: NO_CRASH,
      logger: SILENT,
      ...overrides,
    }),
    runSession: (sessionId, overrides, stopping = new AbortController().signal) =>
      runSession(rig.deps(overrides), sessionId, stopping),
    async turn(sessionId, ...texts) {
      await database.send(sessionId, ...texts);
      await rig.runSession(sessionId);
    },
    types: async (sessionId) => (await database.events(sessionId)).map(({ type }) => type),
    async close() {
      await api.close();
      await database.close();
      if (api.violations.length > 0) throw new Error(`The Messages API refused: ${api.violations.join("; ")}`);
    },
  };
  return rig;
}

function filesIn(saved: Map<string, string>): SessionFiles {
  return {
    open: () => Promise.reject(new Error("nothing is mounted")),
    load: async () => null,
    outputsOf: async () =>
      new Map([...saved].map(([path, text]) => [path, { size: text.length, mtimeNs: "1", sha256: "" }])),
    saveOutput: async ({ path, content }) => void saved.set(path, await text(content)),
  };
}

/** The texts of the agent's messages. */
export const spoken = (events: readonly SessionEvent[]): string[] =>
  events.flatMap((event) => (event.type === "agent.message" ? [event.content.map(({ text }) => text).join("")] : []));

/** Each call's results, by call, in the order of the calls. */
export function resultsByCall(events: readonly SessionEvent[]): { isError: boolean; text: string }[][] {
  const results = events.flatMap((event) => (event.type === "agent.tool_result" ? [event] : []));
  return events.flatMap((event) =>
    event.type === "agent.tool_use"
      ? [
          results
            .filter((result) => result.tool_use_id === event.id)
            .map(({ is_error, content }) => ({
              isError: is_error,
              text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
            })),
        ]
      : [],
  );
}

export const IDLE = ["session.thread_status_idle", "session.usage", "session.status_idle"];
