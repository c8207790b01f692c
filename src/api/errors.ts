import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError, type ErrorCode } from "../errors.ts";

/** The wire's error envelope. */
export interface ErrorBody {
  type: "error";
  error: { type: string; message: string; details?: Record<string, unknown> };
  request_id: string;
}

interface Failure {
  status: number;
  type: string;
  message: string;
  details?: Record<string, unknown>;
}

const WIRE: Record<ErrorCode, { status: number; type: string }> = {
  invalid_request: { status: 400, type: "invalid_request_error" },
  authentication: { status: 401, type: "authentication_error" },
  permission: { status: 403, type: "permission_error" },
  not_found: { status: 404, type: "not_found_error" },
  conflict: { status: 409, type: "conflict_error" },
  request_too_large: { status: 413, type: "request_too_large" },
  rate_limit: { status: 429, type: "rate_limit_error" },
  overloaded: { status: 529, type: "overloaded_error" },
  unavailable: { status: 503, type: "api_error" },
  internal: { status: 500, type: "api_error" },
};

/** Fastify's own failures whose message says too little. */
const FASTIFY_MESSAGES: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "The request body is larger than 32 MB.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The request body is not valid JSON.",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Send the request body as `content-type: application/json`.",
};

/** Renders every failure of the app, whoever raised it, as the wire's envelope. */
export function renderErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0];
    return sendError(new AppError("not_found", `There is no ${request.method} ${path}.`), request, reply);
  });
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = failureOf(error);
  if (failure.status >= 500) request.log.error({ err: error }, "request failed");
  // The SDK repeats every 409 unless told that it is in vain.
  if (failure.status === 409) reply.header("x-should-retry", "false");
  // What is left of a body that was refused half-read would be taken for the next request.
  if (failure.status === 413) reply.header("connection", "close");
  return reply
    .code(failure.status)
    .header("request-id", request.id)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(errorBody(error, request.id));
}

/** What a caller may see of a failure; nothing of one that is our own fault. */
export function errorBody(error: unknown, requestId: string): ErrorBody {
  const { type, message, details } = failureOf(error);
  return { type: "error", error: { type, message, ...(details && { details }) }, request_id: requestId };
}

function failureOf(error: unknown): Failure {
  if (error instanceof AppError) {
    const { code, message, details } = error;
    return { ...WIRE[code], message, ...(details && { details }) };
  }
  const status = clientErrorStatus(error);
  if (error instanceof Error && status !== null) {
    const code = "code" in error ? String(error.code) : "";
    const type = status === 413 ? "request_too_large" : "invalid_request_error";
    return { status, type, message: FASTIFY_MESSAGES[code] ?? error.message };
  }
  return { ...WIRE.internal, message: "Internal server error. The log has more under this request id." };
}

/** Fastify puts the status on its errors; only a 4xx is the caller's doing and safe to show. */
function clientErrorStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return null;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : null;
}
