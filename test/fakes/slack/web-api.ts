import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallLog, LoggedCall } from "./call-log.ts";
import type { Fault, FaultPlan } from "./faults.ts";
import type { Method, MethodSettings } from "./method.ts";
import { METHODS } from "./methods.ts";
import { oauthAccess } from "./methods/oauth.ts";
import type { OAuthApp } from "./oauth-app.ts";
import type { Limiter } from "./rate-limits.ts";
import { Refusal } from "./refusal.ts";
import { readArguments } from "./request-body.ts";
import { bearerOf, installationOf, refuseMissingScope } from "./tokens.ts";
import type { Installation, Publish, World } from "./world.ts";

export interface WebApiDeps {
  world: World;
  settings: MethodSettings;
  publish: Publish;
  log: CallLog;
  violations: string[];
  faults: FaultPlan;
  limiter: Limiter;
  oauth: OAuthApp;
  /** Answers `apps.connections.open` for this token; null when it is no app-level token. */
  connect(token: string | undefined): { url: string } | null;
}

type Answer = Record<string, unknown>;
type Done = (status: number, answer: Answer, headers?: Record<string, string>) => void;

/** `POST /api/<method>`. */
export async function answerMethod(
  deps: WebApiDeps,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { world, log, violations } = deps;
  const logged: LoggedCall = { method: name, args: {}, team: "", at: world.clock.now(), answer: null };
  const done: Done = (status, answer, headers = {}) => {
    log.changed();
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
    response.end(JSON.stringify(answer));
  };
  let fault: Fault | null = null;
  let answer: Answer;
  try {
    const body = await readArguments(request);
    const token = bearerOf(request.headers.authorization) ?? textOf(body["token"]);
    delete body["token"];
    logged.args = body;
    log.calls.push(logged);
    logged.team = world.tokens.get(token ?? "")?.installation.id ?? "";
    fault = deps.faults.take(name, logged.team);
    if (fault && (await failBefore(fault, response, done))) return log.changed();
    const decided = decide(deps, name, token, body);
    if ("retryAfterSeconds" in decided) return tooMany(done, decided.retryAfterSeconds);
    answer = { ok: true, ...decided.answer };
    if (decided.installation) response.setHeader("x-oauth-scopes", [...decided.installation.scopes].join(","));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.violation !== null) violations.push(`${name}: ${error.violation}`);
    answer = { ok: false, error: error.code, ...error.more };
  }
  logged.answer = { ...answer, ok: answer["ok"] === true };
  log.changed();
  if (fault && (await failAfter(fault, response))) return;
  done(200, answer);
}

type Decided = { answer: Answer; installation?: Installation } | { retryAfterSeconds: number };

/** @throws Refusal */
function decide(deps: WebApiDeps, name: string, token: string | undefined, body: Record<string, unknown>): Decided {
  const { world, settings, publish, limiter, oauth } = deps;
  if (name === "oauth.v2.access") return { answer: oauthAccess(world, oauth, body) };
  if (name === "apps.connections.open") {
    const opened = deps.connect(token);
    if (!opened) throw new Refusal("invalid_auth");
    return { answer: opened };
  }
  const method = METHODS.get(name);
  if (!method) throw new Refusal("unknown_method", { violation: "no such method" });
  const installation = installationOf(world, token);
  const retryAfterSeconds = limiter(name, method.tier, installation.id, body["channel"]);
  if (retryAfterSeconds !== null) return { retryAfterSeconds };
  refuseMissingScope(installation, method);
  return { answer: run(method, { world, installation, publish, settings }, body), installation };
}

function run(method: Method, call: Parameters<Method["run"]>[0], body: Record<string, unknown>): Answer {
  return method.run(call, body).effect();
}

/** True when that was the answer. */
async function failBefore(fault: Fault, response: ServerResponse, done: Done): Promise<boolean> {
  switch (fault.type) {
    case "error":
      done(200, { ok: false, error: fault.error, ...fault.more });
      return true;
    case "rate_limited":
      tooMany(done, fault.retryAfterSeconds);
      return true;
    case "http":
      response.writeHead(fault.status, { "content-type": "text/html" }).end("<html>Something went wrong</html>");
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
  return fault.type === "reset" || fault.type === "hang";
}

function tooMany(done: Done, retryAfterSeconds: number): void {
  done(429, { ok: false, error: "ratelimited" }, { "retry-after": String(retryAfterSeconds) });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
