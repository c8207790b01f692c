import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type DeckhandProcess, startDeckhandProcess } from "../../../bench/deckhand-process.ts";
import { findInstallation } from "../../../bench/installation.ts";
import { newApiKey } from "../../../bench/names.ts";
import { isMissing } from "../../../src/embedded/file-errors.ts";
import { Teardown } from "../../../src/teardown.ts";
import { SANDBOX_IMAGE } from "../../support/sandbox-image.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";
import { type Database, databaseOf } from "./session-log.ts";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** A home of Deckhand's in a temporary folder, and what stands around it. */
export interface TestHome {
  /** Removed with everything in it. */
  dir: string;
  home: string;
  /** For temporary files of the processes of this home. */
  temp: string;
  apiKey: string;
  model: ScriptedModel;
  database: Database;
  /** What every process of this home is told, in its environment. */
  settings: Record<string, string>;
  /** `deckhand up` on `port`, a free one for "0". Stopped with the home. */
  up(role: "api" | null, port: string): Promise<DeckhandProcess>;
  teardown: Teardown;
  /** @throws when a request was made that the Messages API refuses */
  close(): Promise<void>;
}

export async function createTestHome(env: Record<string, string> = {}): Promise<TestHome> {
  const teardown = new Teardown();
  const dir = await mkdtemp(path.join(tmpdir(), "deckhand-e2e-"));
  teardown.add(() => rm(dir, { recursive: true, force: true }));
  const [home, temp] = [path.join(dir, "home"), path.join(dir, "temp")];
  await mkdir(temp);
  teardown.add(() => removeContainers(home));
  const model = await startScriptedModel(env["ANTHROPIC_API_KEY"] ? { apiKey: env["ANTHROPIC_API_KEY"] } : {});
  teardown.add(() => model.close());
  const apiKey = newApiKey();
  const settings = {
    DECKHAND_HOME: home,
    DECKHAND_API_KEY: apiKey,
    DECKHAND_SANDBOX_IMAGE: SANDBOX_IMAGE,
    DECKHAND_SANDBOX_POOL: "1",
    ANTHROPIC_API_KEY: model.apiKey,
    ANTHROPIC_BASE_URL: model.url,
    LOG_LEVEL: "warn",
    TMPDIR: temp,
    ...env,
  };
  return {
    dir,
    home,
    temp,
    apiKey,
    model,
    database: databaseOf(home),
    settings,
    async up(role, port) {
      const given = { root: ROOT, home, modelUrl: model.url, apiKey, env: { ...settings, PORT: port } };
      const started = await startDeckhandProcess(role ? { ...given, role } : given);
      teardown.add(() => started.process.kill("SIGTERM"));
      return started;
    },
    teardown,
    async close() {
      await teardown.run();
      if (model.violations.length > 0) throw new Error(`Refused model requests:\n${model.violations.join("\n")}`);
    },
  };
}

async function removeContainers(home: string): Promise<void> {
  try {
    await (await findInstallation(home)).remove();
  } catch (error) {
    if (!isMissing(error)) throw error; // No worker came so far as to make any.
  }
}
