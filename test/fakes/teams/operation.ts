import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import { badSyntax } from "./refusal.ts";

/** A request to the fake, read to its end. */
export interface Call {
  /** What the path's groups matched, decoded. */
  params: readonly string[];
  /** As it was asked for, query and all. */
  url: URL;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Reply {
  status: number;
  /** JSON, or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Operation {
  /** As calls are logged and faults planned: `send`, `graph.share`. */
  name: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Of the path; each group is a parameter. */
  path: RegExp;
  /** @throws Refusal */
  run(call: Call): Reply;
}

/** @throws Refusal unless it is a JSON object of that shape */
export function bodyAs<Schema extends z.ZodType>(schema: Schema, { body }: Call): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(body));
  if (parsed.success) return parsed.data;
  throw badSyntax(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}

/** Parsed if it is JSON, else undefined. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function bearerOf({ headers }: Call): string | null {
  return /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? null;
}
