import { createHash, randomBytes } from "node:crypto";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { WorkspaceStore } from "./workspace-store.ts";

/** The one workspace of an installation that was not told of others. */
export const DEFAULT_WORKSPACE_ID = "wrkspc_default";

const KEY_BYTES = 32;

export interface Workspaces {
  /** Idempotent, also when several processes start at once. Returns the workspace's id. */
  ensureDefault(): Promise<string>;
  /** A new key, `dk_…`. Only its hash is kept, so this is the one time it can be seen. */
  createApiKey(workspaceId: string, name: string): Promise<{ id: string; key: string }>;
  /**
   * Makes a key that was chosen outside valid for a workspace. Idempotent.
   * @throws AppError `conflict` when it is another workspace's, or was revoked
   */
  ensureApiKey(workspaceId: string, key: string): Promise<void>;
  /** The workspace a key belongs to; null for an unknown or revoked one. */
  findByApiKey(key: string): Promise<string | null>;
}

export function createWorkspaces(store: WorkspaceStore): Workspaces {
  return {
    async ensureDefault() {
      await store.insertWorkspace({ id: DEFAULT_WORKSPACE_ID, name: "Default" });
      return DEFAULT_WORKSPACE_ID;
    },

    async createApiKey(workspaceId, name) {
      const key = newApiKey();
      const id = newId("apikey");
      await store.insertApiKey({ id, workspaceId, name, keyHash: hashOf(key) });
      return { id, key };
    },

    async ensureApiKey(workspaceId, key) {
      const keyHash = hashOf(key);
      await store.insertApiKey({ id: newId("apikey"), workspaceId, name: "Configured", keyHash });
      if ((await store.workspaceOfKey(keyHash)) !== workspaceId) {
        throw new AppError("conflict", "The configured API key was revoked or belongs to another workspace.");
      }
    },

    findByApiKey: (key) => store.workspaceOfKey(hashOf(key)),
  };
}

export const newApiKey = () => `dk_${randomBytes(KEY_BYTES).toString("base64url")}`;

const hashOf = (key: string) => createHash("sha256").update(key).digest("hex");
