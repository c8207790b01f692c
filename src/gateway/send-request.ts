import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { type Agent, request as httpsRequest } from "node:https";
import type { Admission } from "./destination.ts";
import type { HeaderList } from "./header-list.ts";
import { framingHeaders, type OutgoingRequest } from "./outgoing-request.ts";
import { readBody, sendBody } from "./send-body.ts";
import type { BodySubstitution } from "./substitute-body.ts";

/** Between two signs of life of a server. Models may think for long before they answer. */
const SILENCE_MAX_MS = 600_000;
/** Safe to send again when a connection that was kept turns out to be closed. */
const REPEATABLE = ["GET", "HEAD", "OPTIONS"];

export interface Sending {
  path: string;
  outgoing: OutgoingRequest;
  /** Null for a body that stays as it is. */
  substitution: BodySubstitution | null;
  agent: Agent;
  admission: Pick<Admission, "count">;
}

/**
 * Sends a request and resolves with the beginning of its answer, which may come before all of the body was sent. The server
 * is let go when the sandbox is gone.
 */
export async function sendRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { path, outgoing, substitution, agent, admission }: Sending,
): Promise<IncomingMessage> {
  if (request.headers.expect !== undefined) response.writeContinue();
  const whole = outgoing.body.type === "buffered" && substitution ? await readBody(request, substitution) : null;
  const headers = [...outgoing.headers, ...framingHeaders(outgoing.body, whole?.length ?? 0)];
  admission.count("out", sizeOf(path, headers) + (whole?.length ?? 0));

  const open = (): ClientRequest => {
    const options = { agent, method: request.method, path, headers: headers.flat(), timeout: SILENCE_MAX_MS };
    const upstream = httpsRequest(options);
    upstream.on("timeout", () => upstream.destroy(new Error("It was silent for too long.")));
    response.once("close", () => upstream.destroy());
    return upstream;
  };
  const upstream = open();
  const answer = answerOf(upstream);
  if (whole) upstream.end(whole);
  else if (outgoing.body.type === "none") upstream.end();
  else void passBody(request, upstream, substitution, admission);
  try {
    return await answer;
  } catch (error) {
    const again = upstream.reusedSocket && REPEATABLE.includes(upstream.method) && outgoing.body.type === "none";
    if (!again || response.destroyed) throw error;
    const second = open();
    const secondAnswer = answerOf(second);
    second.end();
    return await secondAnswer;
  }
}

async function passBody(
  request: IncomingMessage,
  upstream: ClientRequest,
  substitution: BodySubstitution | null,
  admission: Pick<Admission, "count">,
): Promise<void> {
  try {
    await sendBody(request, upstream, substitution, (bytes) => admission.count("out", bytes));
  } catch (error) {
    upstream.destroy(error instanceof Error ? error : new Error("The request was cut short."));
  }
  // Nobody wants the rest, but the next request comes after it.
  request.resume();
}

function answerOf(upstream: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // What fails after the answer has begun is seen by whoever reads that.
  upstream.on("response", resolve).on("error", reject);
  upstream.on("close", () => reject(new Error("The request was given up.")));
  return promise;
}

const sizeOf = (path: string, headers: HeaderList) =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, path.length);
