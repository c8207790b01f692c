import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyRequest, LogController } from "fastify";
import { AppError, messageOf } from "../../src/errors.ts";
import { createAfterwards } from "../shared/afterwards.ts";
import { Activity } from "./activity.ts";
import type { HandlerDeps } from "./handlers/handler-deps.ts";
import { handleActivity } from "./handlers/handle-activity.ts";
import { inboundActivity, type InboundOptions } from "./inbound-activity.ts";
import { isLoopback } from "./loopback.ts";
import type { TeamsConnector } from "./teams-connector.ts";

export interface TeamsEndpointOptions extends Omit<HandlerDeps, "afterwards" | "connector"> {
  connector: Pick<TeamsConnector, "authenticate" | "send" | "sendTargeted">;
  host: string;
  port: number;
  /** Takes activities from anybody who reaches it, so only from this machine, and answers to this machine only. */
  anonymous: boolean;
  allowedTenants: InboundOptions["allowedTenants"];
}

export interface RunningTeamsEndpoint {
  port: number;
  /** Takes no more in, and waits for what is being taken in. */
  stop(): Promise<void>;
}

export const MESSAGES_PATH = "/api/messages";
/** Messages have 100 KB at most; what comes with them is addresses. */
const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
/** Of clients that name no tenant, such as small test clients. */
const ANONYMOUS_TENANT = "00000000-0000-0000-0000-000000000000";

/**
 * Takes in everything that comes from Teams. 200 means that it is kept; 503 that it could not be, which Teams then brings
 * again; 401 that it is not from Teams, and then nothing was looked at.
 * @throws Error when the address can't be opened, or is open to others in the anonymous mode
 */
export async function startTeamsEndpoint(options: TeamsEndpointOptions): Promise<RunningTeamsEndpoint> {
  const { host, port, anonymous, log } = options;
  if (anonymous && !isLoopback(host)) {
    throw new Error(`Without authentication, Teams' endpoint is for this machine only. ${host} is open to others.`);
  }
  const afterwards = createAfterwards(log);
  const app = fastify({
    logger: false,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
  });
  takeJsonOnly(app);
  const deps: HandlerDeps = { ...options, afterwards };
  // Microsoft's playground waits until somebody answers to that.
  app.head(MESSAGES_PATH, async (_, reply) => await reply.send());
  app.post(MESSAGES_PATH, async (request) => await takeIn(options, deps, request));
  app.setErrorHandler(async (error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500)
      log.error({ ...describe(request.body), error: messageOf(error) }, "could not take in what Teams sent");
    else log.warn({ status, error: messageOf(error) }, "refused what was sent to Teams' endpoint");
    await reply.code(status).send({ error: status >= 500 ? "Try again later." : messageOf(error) });
  });
  await app.listen({ host, port });
  return {
    port: portOf(app.server.address()),
    async stop() {
      await app.close();
      await afterwards.stop();
    },
  };
}

async function takeIn(
  { connector, anonymous, allowedTenants }: TeamsEndpointOptions,
  deps: HandlerDeps,
  request: FastifyRequest,
): Promise<object> {
  if (anonymous) refuseOtherMachines(request);
  await connector.authenticate(request.headers.authorization, request.body);
  const parsed = Activity.safeParse(request.body);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new AppError("invalid_request", `This is no activity: ${where}.`);
  }
  if (anonymous && !isLoopback(new URL(parsed.data.serviceUrl).hostname)) {
    throw new AppError("permission", "Without authentication, only a serviceUrl of this machine is answered.");
  }
  const options = { allowedTenants, tenantWhenUnnamed: anonymous ? ANONYMOUS_TENANT : null };
  return await handleActivity(deps, inboundActivity(parsed.data, options));
}

/** A page in a browser of this machine may not speak for it, whatever name it gave to our address. */
function refuseOtherMachines({ headers, host }: FastifyRequest): void {
  const name = URL.parse(`http://${host}`)?.hostname ?? "";
  if (headers.origin === undefined && isLoopback(name)) return;
  throw new AppError("permission", "Without authentication, only programs of this machine are listened to.");
}

function takeJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, parse);
}

function statusOf(error: unknown): number {
  if (error instanceof AppError) {
    if (error.code === "authentication") return 401;
    if (error.code === "permission") return 403;
    if (error.code === "invalid_request") return 400;
    return 503;
  }
  // Of the server itself: a body that is too large, or no JSON.
  const own = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 503;
  return own >= 400 && own < 500 ? own : 503;
}

/** Says what it was, never what people wrote. */
function describe(body: unknown): Record<string, unknown> {
  const { data } = Activity.pick({ type: true, name: true, id: true }).safeParse(body);
  return { teams_type: data?.type, teams_invoke: data?.name, teams_activity: data?.id };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new TypeError("Teams' endpoint has no port.");
  return address.port;
}
