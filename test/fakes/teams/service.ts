import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Clock } from "../slack/clock.ts";
import type { LoggedCall } from "./call-log.ts";
import type { Fault, FaultPlan } from "./faults.ts";
import { jsonOf, type Operation, type Reply } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import { splitConversationId } from "./world.ts";

export interface ServiceDeps {
  operations: readonly Operation[];
  clock: Clock;
  calls: LoggedCall[];
  violations: string[];
  faults: FaultPlan;
  changed(): void;
}

/** One request: logged, failed as planned, decided, answered. */
export async function answer(deps: ServiceDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "fake"}`);
  const body = await buffer(request);
  const path = decodeURIComponent(url.pathname);
  const operation = deps.operations.find((each) => each.method === request.method && each.path.test(path));
  const params = operation?.path.exec(path)?.slice(1) ?? [];
  const conversation = /\/v3\/conversations\/([^/]+)/.exec(path)?.[1];
  const logged: LoggedCall = {
    operation: operation?.name ?? "unknown",
    method: request.method ?? "",
    path,
    query: Object.fromEntries(url.searchParams),
    conversation: conversation === undefined ? null : splitConversationId(conversation).base,
    body: body.length === 0 ? null : (jsonOf(body) ?? body.length),
    at: deps.clock.now(),
    answer: null,
  };
  deps.calls.push(logged);
  deps.changed();
  const fault = deps.faults.take(logged.operation, logged.conversation);
  if (fault && (await failBefore(fault, response))) return;
  const reply = decide(deps, operation, logged, () => ({
    params,
    url,
    query: url.searchParams,
    headers: request.headers,
    body,
  }));
  logged.answer = { status: reply.status, body: Buffer.isBuffer(reply.body) ? reply.body.length : reply.body };
  deps.changed();
  if (fault && (await failAfter(fault, response))) return;
  write(response, reply);
}

function decide(
  { violations }: ServiceDeps,
  operation: Operation | undefined,
  logged: LoggedCall,
  call: () => Parameters<Operation["run"]>[0],
): Reply {
  try {
    if (!operation) {
      const what = `no such path: ${logged.method} ${logged.path}`;
      throw new Refusal(404, "NotFound", what, { violation: what });
    }
    return operation.run(call());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.violation !== null) violations.push(`${logged.operation}: ${error.violation}`);
    return errorReply(error);
  }
}

/** The token endpoint has a shape of its own. */
function errorReply({ status, code, message, headers }: Refusal): Reply {
  const body = code.startsWith("AADSTS")
    ? { error: message.split(":")[0], error_description: `${code}: ${message}`, error_codes: [Number(code.slice(6))] }
    : { error: { code, message } };
  return { status, body, headers };
}

/** True when that was the answer, or there is none. */
async function failBefore(fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.type) {
    case "refuse": {
      const error = { code: fault.code, message: fault.message ?? fault.code };
      write(response, { status: fault.status, body: { error }, headers: fault.headers ?? {} });
      return true;
    }
    case "throttled": {
      const headers = { "retry-after": String(fault.retryAfterSeconds) };
      write(response, { status: 429, body: { error: { code: "TooManyRequests", message: "Throttled." } }, headers });
      return true;
    }
    case "http":
      if (fault.when === "after") return false;
      write(response, { status: fault.status });
      return true;
    case "hang":
      return fault.when === "before";
    case "reset":
      if (fault.when === "before") response.destroy();
      return fault.when === "before";
    case "hold":
      if (fault.when === "before") await fault.until;
      return false;
  }
}

async function failAfter(fault: Fault, response: ServerResponse): Promise<boolean> {
  if (fault.type === "hold" && fault.when === "after") await fault.until;
  if (fault.type === "reset") response.destroy();
  if (fault.type === "http") write(response, { status: fault.status });
  return fault.type === "reset" || fault.type === "hang" || fault.type === "http";
}

function write(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  if (response.destroyed) return;
  const bytes = Buffer.isBuffer(body) ? body : body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  const type = Buffer.isBuffer(body) ? "application/octet-stream" : "application/json; charset=utf-8";
  response.writeHead(status, { ...(bytes.length > 0 && { "content-type": type }), ...headers });
  response.end(bytes);
}
