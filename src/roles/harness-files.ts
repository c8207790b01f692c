import { buffer } from "node:stream/consumers";
import { AppError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { SessionFiles } from "../harness/session-files.ts";

/** The harness's view of files. */
export function createHarnessFiles(files: Files): SessionFiles {
  const open = async (workspaceId: string, fileId: string) => {
    const { file, content } = await files.open(workspaceId, fileId);
    return { file, content, size: file.size_bytes };
  };
  return {
    open,
    async load(workspaceId, fileId) {
      try {
        const { file, content } = await open(workspaceId, fileId);
        return { mediaType: file.mime_type, data: (await buffer(content)).toString("base64") };
      } catch (error) {
        if (error instanceof AppError && error.code === "not_found") return null;
        throw error;
      }
    },
    outputsOf: (sessionId) => files.outputsOf(sessionId),
    async saveOutput(output) {
      await files.saveOutput(output);
    },
  };
}
