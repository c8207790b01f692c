import { compactNumber, formatBytes } from "../../../bots/shared/render.ts";

/** What the demo prints as one JSON object. */
export interface DemoResult {
  session_id: string;
  model: string;
  sandbox: { driver: "docker"; image: string };
  files: { name: string; bytes: number }[];
  events: number;
  /** From the moment the message was sent. */
  ms: { first_event: number; first_token: number; total: number };
}

/** Pure: the summary for a person. `folder` is where the files are. */
export function summaryLines(result: DemoResult, tokens: number, folder: string): string[] {
  const width = Math.max(...result.files.map((file) => file.name.length), 1);
  return [
    `Files in ${folder}:`,
    ...result.files.map((file) => `  ${file.name.padEnd(width)}  ${formatBytes(file.bytes)}`),
    "",
    `Session       ${result.session_id}`,
    `Model         ${result.model}`,
    `Events        ${result.events}`,
    `Tokens        ${compactNumber(tokens)}`,
    `First event   ${result.ms.first_event} ms`,
    `First token   ${result.ms.first_token} ms`,
    `Total         ${(result.ms.total / 1000).toFixed(1)} s`,
  ];
}
