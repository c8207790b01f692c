import type { z } from "zod";
import { RetryableError, TerminalError } from "../../src/errors.ts";
import { retryAfterOf } from "./connector-http.ts";
import type { TeamsConnector } from "./teams-connector.ts";

/** Microsoft Graph said no. The message is for people; `status` and `code` are for decisions. */
export class GraphRefusedError extends TerminalError {
  override readonly name = "GraphRefusedError";
  readonly status: number;

  constructor(what: Asked, status: number) {
    super(wordsFor(what, status));
    this.status = status;
  }
}

/**
 * Microsoft Graph with the app's own token of a tenant. Paths begin with `/`, below the version. Each call has a time limit.
 * @throws GraphRefusedError, RetryableError (with Retry-After where it was told), the signal's reason
 */
export interface TeamsGraph {
  /** `path` may be an address that Graph gave for the next page. */
  get<Answer>(tenant: string, path: string, answer: z.ZodType<Answer>, signal: AbortSignal): Promise<Answer>;
  post<Answer>(
    tenant: string,
    path: string,
    body: unknown,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  put<Answer>(
    tenant: string,
    path: string,
    body: Uint8Array<ArrayBuffer>,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Where the content of a file is to be had, without a token and for a short time. */
  contentAddress(tenant: string, path: string, signal: AbortSignal): Promise<string>;
}

export interface TeamsGraphDeps {
  connector: Pick<TeamsConnector, "token">;
  /** With the version, such as `https://graph.microsoft.com/v1.0`. */
  graphUrl: string;
}

type GraphRequest = Pick<RequestInit, "method" | "body"> & { headers?: Record<string, string> };

/** The last part of the path by which Graph tells which groups somebody is in. */
export const CHECK_MEMBER_GROUPS = "checkMemberGroups";

const CALL_TIMEOUT_MS = 20_000;
const PUT_TIMEOUT_MS = 60_000;

export function createTeamsGraph({ connector, graphUrl }: TeamsGraphDeps): TeamsGraph {
  const base = graphUrl.replace(/\/+$/, "");

  const call = async (tenant: string, path: string, init: GraphRequest, signal: AbortSignal): Promise<Response> => {
    const url = path.startsWith("/") ? `${base}${path}` : path;
    if (new URL(url).origin !== new URL(base).origin)
      throw new TerminalError("Graph named a page that is not its own.");
    const token = await connector.token("graph", tenant, signal);
    const timeoutMs = init.method === "PUT" ? PUT_TIMEOUT_MS : CALL_TIMEOUT_MS;
    try {
      return await fetch(url, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${token}` },
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new RetryableError("Microsoft Graph can't be reached right now.", { cause: error });
    }
  };

  const ask = async <Answer>(
    tenant: string,
    path: string,
    init: GraphRequest,
    answer: z.ZodType<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const response = await call(tenant, path, init, signal);
    const text = await textOf(response, signal);
    refuseOtherThan(response.ok, response);
    const parsed = answer.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    throw new RetryableError("Microsoft Graph gave an answer that can't be read.", { cause: parsed.error });
  };

  return {
    get: (tenant, path, answer, signal) => ask(tenant, path, { method: "GET" }, answer, signal),
    post: (tenant, path, body, answer, signal) =>
      ask(tenant, path, { method: "POST", headers: JSON_BODY, body: JSON.stringify(body) }, answer, signal),
    put: (tenant, path, body, answer, signal) =>
      ask(tenant, path, { method: "PUT", headers: BYTES_BODY, body }, answer, signal),

    async contentAddress(tenant, path, signal) {
      const response = await call(tenant, path, { method: "GET" }, signal);
      await response.body?.cancel();
      const address = response.headers.get("location");
      refuseOtherThan(response.status === 302 && address !== null, response);
      return address ?? "";
    },
  };
}

const JSON_BODY = { "content-type": "application/json" };
const BYTES_BODY = { "content-type": "application/octet-stream" };

/** @throws GraphRefusedError, RetryableError */
function refuseOtherThan(expected: boolean, { status, headers, url }: Response): void {
  if (expected) return;
  if (status === 408 || status === 423 || status === 429 || status >= 500 || status < 400) {
    const retryAfterMs = retryAfterOf(headers.get("retry-after"), Date.now());
    throw new RetryableError(`Microsoft Graph answered with ${status}.`, { retryAfterMs });
  }
  throw new GraphRefusedError(askedFor(url), status);
}

type Asked = "messages" | "files" | "groups";

function askedFor(url: string): Asked {
  const { pathname } = new URL(url);
  if (pathname.endsWith(`/${CHECK_MEMBER_GROUPS}`)) return "groups";
  return /\/messages(\/|$)/.test(pathname) ? "messages" : "files";
}

function wordsFor(what: Asked, status: number): string {
  if (status !== 401 && status !== 403) return `Microsoft Graph does not know these ${what}.`;
  const mend = "Whoever runs it can see which permission is missing with `./deckhand teams check`.";
  if (what === "groups") return `Deckhand may not ask who is in which group. ${mend}`;
  return `Deckhand may not read or write ${what} in this team. ${mend}`;
}

async function textOf(response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new RetryableError("The answer of Microsoft Graph broke off.", { cause: error });
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
