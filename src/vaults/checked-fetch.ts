import { request as requestHttp, type ClientRequest, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { messageOf } from "../errors.ts";

/**
 * The addresses of a host, which is a name or an address itself, and each of them may be connected to.
 * Rejects for a name that nobody knows, and when an address must not be reached.
 */
export type ResolveAllowed = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface OutboundRequest {
  method: "POST" | "DELETE";
  url: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export interface OutboundAnswer {
  status: number;
  /** Empty when there is none. */
  contentType: string;
  header(name: string): string | null;
  /** To be read once. @throws NotAnsweredError, also beyond 1 MiB */
  body: AsyncIterable<Uint8Array>;
  /** Ends the connection. To be called by whoever does not read the body to its end. Idempotent. */
  end(): void;
}

/**
 * One request to a server that a user of the API named. It goes to an address that was looked up and checked for this
 * request, redirects are answers, and nothing is sent in clear but to this machine.
 * @param signal for the whole exchange, the body too; it should have a time limit
 * @throws NotAnsweredError, or the signal's reason
 */
export type CheckedFetch = (request: OutboundRequest, signal: AbortSignal) => Promise<OutboundAnswer>;

/** No answer: refused by us, unknown name, no connection, TLS, cut off. The message names the host and nothing secret. */
export class NotAnsweredError extends Error {
  override readonly name = "NotAnsweredError";
}

const BODY_BYTES_MAX = 1024 * 1024;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

export function createCheckedFetch({ resolve }: { resolve: ResolveAllowed }): CheckedFetch {
  return async (request, signal) => {
    signal.throwIfAborted();
    const url = parseUrl(request.url);
    // Brackets belong to a URL, not to an address.
    const host = url.hostname.replace(/^\[|\]$/g, "");
    try {
      const addresses = await resolve(host, signal);
      assertSafe(url, host, addresses);
      return answerOf(await send(request, url, addresses, signal), host, signal);
    } catch (error) {
      throw notAnswered(error, host, signal);
    }
  };
}

function parseUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new NotAnsweredError("The address is no https URL.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new NotAnsweredError(`The URL of ${url.hostname} has a name or a password in it, which is not sent.`);
  }
  return url;
}

function assertSafe(url: URL, host: string, addresses: readonly string[]): void {
  if (addresses.length === 0) throw new NotAnsweredError(`${host} has no address.`);
  const staysHere = addresses.every((address) => loopback.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"));
  if (url.protocol === "http:" && !staysHere) {
    throw new NotAnsweredError(`${host} is asked by http, which anybody on the way could read: only https is used.`);
  }
}

async function send(
  { method, headers, body }: OutboundRequest,
  url: URL,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const open = url.protocol === "https:" ? requestHttps : requestHttp;
  const request: ClientRequest = open(url, {
    method,
    signal,
    // No connection of another request, whose address was checked at another time.
    agent: false,
    lookup: pinned(addresses),
    headers: { ...headers, "accept-encoding": "identity", ...(body === undefined ? {} : lengthOf(body)) },
  });
  request.once("response", answer.resolve).on("error", answer.reject);
  request.end(body);
  return await answer.promise;
}

const lengthOf = (body: string) => ({ "content-length": String(Buffer.byteLength(body)) });

/** Gives what was checked, so that nothing is looked up a second time. */
function pinned(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, done) => {
    const [first] = found;
    if (options.all === true || !first) done(null, found);
    else done(null, first.address, first.family);
  };
}

function answerOf(response: IncomingMessage, host: string, signal: AbortSignal): OutboundAnswer {
  const header = (name: string): string | null => {
    const value = response.headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  };
  return {
    status: response.statusCode ?? 0,
    contentType: header("content-type") ?? "",
    header,
    body: readBody(response, host, signal),
    end: () => void response.destroy(),
  };
}

async function* readBody(response: IncomingMessage, host: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("A body is bytes.");
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) throw new NotAnsweredError(`The answer of ${host} is longer than 1 MiB.`);
      yield chunk;
    }
  } catch (error) {
    throw notAnswered(error, host, signal);
  }
}

function notAnswered(error: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof NotAnsweredError) return error;
  return new NotAnsweredError(`${host} can't be reached: ${reasonOf(error)}`, { cause: error });
}

/** Where several addresses were tried, the first one's failure: the error about all of them says nothing. */
const reasonOf = (error: unknown) => messageOf(error instanceof AggregateError ? error.errors[0] : error);
