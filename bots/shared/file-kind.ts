/** Pure: what a file is called in words: `Excel workbook`. */
export function fileKind(filename: string, mimeType: string): string {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(filename)?.[1]?.toLowerCase() ?? "";
  const known = KINDS[extension];
  if (known !== undefined) return known;
  if (mimeType.startsWith("image/")) return "picture";
  if (mimeType.startsWith("video/")) return "video";
  if (mimeType.startsWith("audio/")) return "sound";
  if (mimeType.startsWith("text/")) return "text";
  return extension === "" ? "file" : `${extension.toUpperCase()} file`;
}

const KINDS: Record<string, string> = {
  xlsx: "Excel workbook",
  xls: "Excel workbook",
  csv: "CSV table",
  tsv: "TSV table",
  pptx: "PowerPoint deck",
  docx: "Word document",
  pdf: "PDF document",
  md: "Markdown document",
  txt: "text",
  json: "JSON data",
  html: "web page",
  zip: "ZIP archive",
  gz: "compressed archive",
  png: "PNG picture",
  jpg: "JPEG picture",
  jpeg: "JPEG picture",
  svg: "SVG drawing",
  py: "Python script",
  sql: "SQL script",
  sh: "shell script",
};
