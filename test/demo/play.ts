import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { z } from "zod";
import type { ModelMessage } from "../../src/models/model-provider.ts";
import { createScriptedProvider } from "../../src/models/scripted.ts";
import { CheckResult, parseResult } from "../../src/models/scripts/board-deck/results.ts";
import { defaultScripts } from "../../src/models/scripts/default-scripts.ts";
import type { ToolCall } from "../../src/models/scripts/script.ts";
import type { Sandbox, SandboxOp, SandboxResult } from "../../src/sandbox/sandbox.ts";
import { callsOf, request, respond, textOf } from "../models/scripted-conversation.ts";
import { bash, NEVER, run } from "../support/sandboxes.ts";

const TURNS_MAX = 40;

export interface Played {
  answer: string;
  messages: ModelMessage[];
  /** What check.py said, null when it never ran. */
  checked: CheckResult | null;
}

/** The scripted model against a real sandbox: a harness with nothing around it. */
export async function playOn(sandbox: Sandbox, name: string, table: Buffer, task: string): Promise<Played> {
  await sandbox.putUpload(name, Readable.from([table]), table.length, NEVER);
  const provider = createScriptedProvider({ scripts: defaultScripts() });
  const messages: ModelMessage[] = [{ role: "user", content: [{ type: "text", text: task }] }];
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const response = await respond(provider, request(messages, [`/mnt/session/uploads/${name}`]));
    messages.push({ role: "assistant", content: response.content });
    if (response.stopReason === "end_turn") return { answer: textOf(response), messages, checked: checkIn(messages) };
    const content = [];
    for (const call of callsOf(response)) content.push(toResult(call.id, await run(sandbox, toOp(call))));
    messages.push({ role: "user", content });
  }
  throw new Error("The script did not come to an end.");
}

const Verified = z.object({
  sheets: z.array(z.string()),
  charts: z.number(),
  errors: z.array(z.string()),
  wrong: z.array(z.string()),
  segments: z.number(),
  records: z.number(),
  frozen: z.string().nullable(),
  table: z.boolean(),
});

/** Opens the delivered workbook with openpyxl and computes its figures anew. */
export async function verify(sandbox: Sandbox): Promise<z.infer<typeof Verified>> {
  await put(sandbox, "verify.py");
  const output = await bash(sandbox, "python3 /tmp/verify.py /mnt/session/outputs/report.xlsx");
  return Verified.parse(JSON.parse(output.split("VERIFIED ")[1] ?? output));
}

/** Runs check.py again after `spoil.py` has been at the files. */
export async function checkSpoilt(sandbox: Sandbox): Promise<CheckResult | null> {
  await put(sandbox, "spoil.py");
  const files = "/mnt/session/outputs/report.xlsx /mnt/session/outputs/deck.pptx";
  const spoilt = await bash(sandbox, `python3 /tmp/spoil.py ${files} && echo spoilt`);
  if (!spoilt.includes("spoilt")) throw new Error(spoilt);
  const [workbook, deck] = files.split(" ");
  return parseResult(
    CheckResult,
    await bash(sandbox, `cd /workspace/report && python3 check.py --workbook ${workbook} --deck ${deck}`),
  );
}

async function put(sandbox: Sandbox, name: string): Promise<void> {
  await sandbox.writeText(`/tmp/${name}`, await readFile(new URL(name, import.meta.url), "utf8"), NEVER);
}

function toOp({ name, input }: ToolCall): SandboxOp {
  return { op: name, ...input } as SandboxOp;
}

function toResult(toolUseId: string, { content, isError }: SandboxResult) {
  const parts = content.map((part) =>
    part.type === "text" ? part : { type: part.type, mediaType: part.media_type, data: part.data },
  );
  return { type: "tool_result" as const, toolUseId, content: parts, isError };
}

function checkIn(messages: readonly ModelMessage[]): CheckResult | null {
  const outputs = messages.flatMap((message) =>
    message.role === "user"
      ? message.content.flatMap((block) => (block.type === "tool_result" ? block.content : []))
      : [],
  );
  const texts = outputs.flatMap((part) =>
    part.type === "text" && part.text.includes('"problems"') ? [part.text] : [],
  );
  return parseResult(CheckResult, texts.at(-1) ?? "");
}
