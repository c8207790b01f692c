import path from "node:path";

const BY_EXTENSION: Record<string, string> = {
  ".csv": "text/csv",
  ".doc": "application/msword",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".gif": "image/gif",
  ".gz": "application/gzip",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".md": "text/markdown",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".odp": "application/vnd.oasis.opendocument.presentation",
  ".ods": "application/vnd.oasis.opendocument.spreadsheet",
  ".odt": "application/vnd.oasis.opendocument.text",
  ".parquet": "application/vnd.apache.parquet",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".ppt": "application/vnd.ms-powerpoint",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ".py": "text/x-python",
  ".sql": "application/sql",
  ".svg": "image/svg+xml",
  ".tar": "application/x-tar",
  ".tsv": "text/tab-separated-values",
  ".txt": "text/plain",
  ".webp": "image/webp",
  ".xls": "application/vnd.ms-excel",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".zip": "application/zip",
};

const BY_MAGIC: { offset: number; bytes: string; type: string }[] = [
  { offset: 0, bytes: "89504e470d0a1a0a", type: "image/png" },
  { offset: 0, bytes: "ffd8ff", type: "image/jpeg" },
  { offset: 0, bytes: "47494638", type: "image/gif" },
  { offset: 8, bytes: "57454250", type: "image/webp" },
  { offset: 0, bytes: "255044462d", type: "application/pdf" },
  { offset: 0, bytes: "504b0304", type: "application/zip" },
  { offset: 0, bytes: "1f8b", type: "application/gzip" },
];

const UNKNOWN = "application/octet-stream";
const DECLARED = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i;

/** As many first bytes of a file as a decision needs. */
export const MAGIC_BYTES = 16;

/** What a file is: by its name, else by its first bytes, else what its sender says it is. Pure. */
export function mimeTypeOf(filename: string | undefined, head: Uint8Array, declared?: string): string {
  const byName = BY_EXTENSION[path.extname(filename ?? "").toLowerCase()];
  if (byName) return byName;
  const bytes = Buffer.from(head);
  const byMagic = BY_MAGIC.find((magic) => bytes.toString("hex", magic.offset).startsWith(magic.bytes));
  if (byMagic) return byMagic.type;
  const given = declared?.split(";", 1)[0]?.trim() ?? "";
  return DECLARED.test(given) ? given.toLowerCase() : UNKNOWN;
}

/** With its dot; empty when the type has none of its own. */
export function extensionOf(mimeType: string): string {
  return Object.entries(BY_EXTENSION).find(([, type]) => type === mimeType)?.[0] ?? "";
}
