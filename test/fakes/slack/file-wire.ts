import type { StoredFile } from "./world.ts";

/** A file, as events and `files.info` show it. */
export function fileWire(file: StoredFile, origin: string) {
  const at = `${origin}/files-pri/${file.teamId}-${file.id}`;
  const name = encodeURIComponent(file.name);
  return {
    id: file.id,
    created: 0,
    timestamp: 0,
    name: file.name,
    title: file.title,
    mimetype: file.mimetype,
    filetype: file.name.split(".").at(-1) ?? "binary",
    size: file.bytes.length,
    user: file.user,
    user_team: file.teamId,
    mode: "hosted",
    is_external: false,
    is_public: true,
    url_private: `${at}/${name}`,
    url_private_download: `${at}/download/${name}`,
    permalink: `${origin}/files/${file.user}/${file.id}/${name}`,
    file_access: "visible",
  };
}

/** What Slack Connect sends in place of a file: it must be asked for. */
export function fileStub(file: StoredFile) {
  return { id: file.id, mode: "file_access", file_access: "check_file_info", created: 0, timestamp: 0, user: "" };
}
