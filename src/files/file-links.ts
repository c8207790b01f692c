import { AppError } from "../errors.ts";
import type { Secret } from "../secrets/secret.ts";
import { readFileLink, signFileLink } from "./file-link.ts";
import type { Files, OpenFile } from "./files.ts";

/** `gone`: nobody signed the token, or its file can't be downloaded any more. */
export type OpenedLink = { type: "open"; opened: OpenFile } | { type: "expired" } | { type: "gone" };

/** Links that open one file to whoever has them, without an API key, for a time. */
export interface FileLinks {
  /**
   * Can't be taken back but by deleting the file, or by another key, which takes back all.
   * @throws AppError `not_found` for an unknown file and for another workspace's, `invalid_request` for one that can't be
   *   downloaded
   */
  create(workspaceId: string, fileId: string, expiresInSeconds: number): Promise<{ url: string; expiresAt: Date }>;
  open(token: string): Promise<OpenedLink>;
}

interface Dependencies {
  files: Pick<Files, "downloadable" | "download">;
  key: Secret;
  /** Where people's browsers find the API. May have a path. */
  baseUrl(): string;
}

/** Where the API serves links, with the token after it. */
export const DOWNLOAD_PATH = "/download/";

export function createFileLinks({ files, key, baseUrl }: Dependencies): FileLinks {
  return {
    async create(workspaceId, fileId, expiresInSeconds) {
      await files.downloadable(workspaceId, fileId);
      const expiresAt = new Date((Math.floor(Date.now() / 1000) + expiresInSeconds) * 1000);
      const token = signFileLink({ workspaceId, fileId, expiresAt }, key);
      return { url: `${baseUrl().replace(/\/+$/, "")}${DOWNLOAD_PATH}${token}`, expiresAt };
    },

    async open(token) {
      const link = readFileLink(token, key);
      if (!link) return { type: "gone" };
      if (link.expiresAt.getTime() <= Date.now()) return { type: "expired" };
      try {
        return { type: "open", opened: await files.download(link.workspaceId, link.fileId) };
      } catch (error) {
        if (error instanceof AppError && error.code === "not_found") return { type: "gone" };
        throw error;
      }
    },
  };
}
