import multipart from "@fastify/multipart";
import fastify, { type FastifyBaseLogger, type FastifyRequest, LogController } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Agents, KnownModel } from "../agents/agents.ts";
import type { Environments } from "../environments/environments.ts";
import { invalid } from "../errors.ts";
import { DOWNLOAD_PATH, type FileLinks } from "../files/file-links.ts";
import type { Files } from "../files/files.ts";
import { newId } from "../ids.ts";
import type { Resources } from "../sessions/resources.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Threads } from "../sessions/threads.ts";
import type { Credentials } from "../vaults/credentials.ts";
import type { ValidateCredential } from "../vaults/mcp-oauth-validate.ts";
import type { Vaults } from "../vaults/vaults.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { authenticate, requireManagedAgentsBeta } from "./auth.ts";
import { boundClosing } from "./connections.ts";
import { serveDocs } from "./docs.ts";
import { renderErrors, sendError } from "./errors.ts";
import { parseJsonBodies } from "./json-body.ts";
import { parseQueryString } from "./query-string.ts";
import { agentRoutes } from "./routes/agents.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import { downloadRoute } from "./routes/downloads.ts";
import { environmentRoutes } from "./routes/environments.ts";
import { fileRoutes } from "./routes/files.ts";
import { type Health, healthRoute } from "./routes/health.ts";
import { modelRoutes } from "./routes/models.ts";
import { type SessionEventDependencies, sessionEventRoutes } from "./routes/session-events.ts";
import { sessionResourceRoutes } from "./routes/session-resources.ts";
import { sessionThreadRoutes } from "./routes/session-threads.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { vaultRoutes } from "./routes/vaults.ts";
import type { Server } from "./server.ts";
import { compileValidator } from "./validation.ts";

export interface ApiDependencies extends Omit<SessionEventDependencies, "closing" | "sessions"> {
  log: FastifyBaseLogger;
  health(): Health;
  workspaces: Pick<Workspaces, "findByApiKey">;
  agents: Agents;
  environments: Environments;
  vaults: Vaults;
  credentials: Credentials;
  validateCredential: ValidateCredential;
  sessions: Sessions;
  threads: Threads;
  resources: Resources;
  files: Files;
  fileLinks: FileLinks;
  /** Newest first. */
  models(): readonly KnownModel[];
}

const JSON_BODY_BYTES_MAX = 32 * 1024 * 1024;
/** To send a request in full, which may be a large upload over a slow line. */
const REQUEST_TIMEOUT_MS = 30 * 60 * 1000;
const PATH_PARAMETER_CHARS_MAX = 200;
/** A link's token, also where no route answers, such as by a wrong method. */
const LINK_TOKEN = /[\w-]{40,}\.[\w-]{40,}/g;

/** The HTTP API, not listening yet. `close` ends open event streams and waits a little for what is being answered. */
export function buildApp(dependencies: ApiDependencies): Server {
  const app: Server = fastify({
    loggerInstance: dependencies.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: () => newId("req"),
    bodyLimit: JSON_BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { querystringParser: parseQueryString, maxParamLength: PATH_PARAMETER_CHARS_MAX },
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();

  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest("workspaceId", "");
  app.addHook("onRequest", async (request, reply) => {
    reply.header("request-id", request.id);
    if (request.url.includes("%00")) throw invalid("The URL must not hold `%00`.");
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    request.log.debug(
      { method, url: loggable(request), status: reply.statusCode, ms: reply.elapsedTime },
      "request answered",
    );
  });
  parseJsonBodies(app);
  boundClosing(app);
  renderErrors(app);
  serveDocs(app);
  app.register(multipart);
  app.register(async (scope: Server) => healthRoute(scope, dependencies.health));
  app.register(async (scope: Server) => downloadRoute(scope, dependencies.fileLinks));
  app.register(async (scope: Server) => v1(scope, dependencies), { prefix: "/v1" });
  return app;
}

/** A link's token is all that it takes to get its file, so no log may have it. */
function loggable({ url, routeOptions }: FastifyRequest): string {
  const served = routeOptions.url ?? "";
  return served.startsWith(DOWNLOAD_PATH) ? served : url.replaceAll(LINK_TOKEN, ":token");
}

function v1(app: Server, dependencies: ApiDependencies): void {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  app.addHook("onRequest", authenticate(dependencies.workspaces));

  fileRoutes(app, dependencies.files, dependencies.fileLinks);
  modelRoutes(app, dependencies.models);
  app.register(async (beta: Server) => {
    beta.addHook("onRequest", requireManagedAgentsBeta);
    agentRoutes(beta, dependencies.agents);
    environmentRoutes(beta, dependencies.environments);
    vaultRoutes(beta, dependencies.vaults);
    credentialRoutes(beta, dependencies.credentials, dependencies.validateCredential);
    sessionRoutes(beta, dependencies);
    sessionEventRoutes(beta, { ...dependencies, closing: closing.signal });
    sessionThreadRoutes(beta, { ...dependencies, closing: closing.signal });
    sessionResourceRoutes(beta, dependencies.resources);
  });
}
