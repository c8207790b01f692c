import type { IncomingMessage, ServerResponse } from "node:http";
import type { Agent } from "node:https";
import type { Logger } from "../log.ts";
import { answerBadGateway, answerDenied } from "./answer.ts";
import { UnreadableEncodingError } from "./decode-body.ts";
import { type Admission, DeniedError, type Destination, type RequestLine, UnreachableError } from "./destination.ts";
import { secretsForHost } from "./host-secrets.ts";
import { outgoingRequest } from "./outgoing-request.ts";
import { passAnswer } from "./pass-answer.ts";
import { requestTarget } from "./request-target.ts";
import type { Scrubbers } from "./scrub.ts";
import { sendRequest } from "./send-request.ts";
import { createBodySubstitution } from "./substitute-body.ts";
import { UnsendableSecretError } from "./substitute-headers.ts";

/** One request that came over intercepted TLS, and what is needed to answer it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  destination: Destination;
  agent: Agent;
  scrubberFor: Scrubbers;
  log: Logger;
}

/**
 * Asks whether the request may pass, sends it on with secrets, and passes the answer back without them. Never throws:
 * whatever goes wrong is answered, or ends the connection when an answer has begun.
 */
export async function forwardIntercepted(exchange: Exchange): Promise<void> {
  const { request, destination } = exchange;
  const line: RequestLine = { method: request.method ?? "", scheme: "https", path: request.url ?? "" };
  try {
    const target = requestTarget(request, destination);
    if ("rule" in target) throw await destination.refuse(line, target.rule, target.message);
    const admitted = { ...line, path: target.path };
    await forward(exchange, admitted, await destination.admit(admitted));
  } catch (error) {
    answerFailure(exchange, error);
  }
}

async function forward(exchange: Exchange, line: RequestLine & { path: string }, admission: Admission): Promise<void> {
  const { request, response, destination, agent, scrubberFor } = exchange;
  const secrets = secretsForHost(admission.policy, destination.host, destination.port);
  const used = new Set<string>();
  try {
    const outgoing = outgoingRequest(request, line.path, destination, secrets);
    for (const id of outgoing.credentialIds) used.add(id);
    const substituted = outgoing.body.type !== "none" && secrets.variables.some(({ inBody }) => inBody);
    const substitution = substituted
      ? createBodySubstitution(secrets.variables, request.headers["content-type"])
      : null;
    try {
      const answer = await sendRequest(request, response, {
        path: line.path,
        outgoing,
        substitution,
        agent,
        admission,
      });
      await passAnswer(answer, response, scrubberFor(outgoing.sent), (bytes) => admission.count("in", bytes));
    } finally {
      for (const id of substitution?.credentialIds() ?? []) used.add(id);
    }
  } catch (error) {
    const denied =
      error instanceof UnsendableSecretError ? destination.refuse(line, "unsendable_secret", error.message) : null;
    answerFailure(exchange, (await denied) ?? error);
  } finally {
    admission.finish({ status: response.headersSent ? response.statusCode : null, credentialIds: [...used] });
  }
}

/** Error messages of others may quote what was sent: only the code of an error is told. */
function answerFailure({ response, destination: { host, gatewayId }, log }: Exchange, error: unknown): void {
  if (error instanceof DeniedError) return answerDenied(response, error);
  if (error instanceof UnreachableError || error instanceof UnreadableEncodingError) {
    return answerBadGateway(response, error.message);
  }
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  if (!response.destroyed) log.debug({ gatewayId, host, code }, "a request through the gateway failed");
  answerBadGateway(response, `${host} gave no answer${code ? `: ${code}` : ""}.`);
}
