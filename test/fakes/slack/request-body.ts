import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { Refusal } from "./refusal.ts";

/**
 * The arguments of a Web API call: a form's values are text.
 * @throws Refusal
 */
export async function readArguments(request: IncomingMessage): Promise<Record<string, unknown>> {
  const bytes = await buffer(request);
  const [type] = (request.headers["content-type"] ?? "").split(";");
  if (bytes.length === 0) return {};
  if (type === "application/json") return readJson(bytes);
  if (type === "application/x-www-form-urlencoded") return Object.fromEntries(new URLSearchParams(bytes.toString()));
  throw new Refusal("invalid_post_type", { violation: `a body of type ${JSON.stringify(type)}` });
}

/** The bytes of an upload: the body, or the one file of a form. */
export async function readUpload(request: IncomingMessage): Promise<Buffer> {
  const bytes = await buffer(request);
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) return bytes;
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } }).formData();
  const file = [...form.values()].find((value) => typeof value !== "string");
  return Buffer.from((await file?.arrayBuffer()) ?? new ArrayBuffer(0));
}

function readJson(bytes: Buffer): Record<string, unknown> {
  const parsed: unknown = JSON.parse(bytes.toString());
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new Refusal("json_not_object");
  return { ...parsed };
}
