import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { finishOpenApi } from "./openapi.ts";
import type { Server } from "./server.ts";

const DESCRIPTION = `Managed agents on your own machine, over the public Claude Managed Agents HTTP API: the official
SDK works with only its \`baseURL\` changed.

Send the API key as \`Authorization: Bearer\` or as \`x-api-key\` (not both), \`anthropic-version: 2026-10-21\`, and
\`anthropic-beta: managed-agents-2026-04-01\` on agents, environments and sessions. Errors come as
\`{"type":"error","error":{"type","message"},"request_id"}\`.`;

/** Serves the OpenAPI document at `/openapi.json` and a page to read it at `/docs`. Routes must be registered after it. */
export function serveDocs(app: Server): void {
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Deckhand", version: "1.0.0", description: DESCRIPTION },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => finishOpenApi(jsonSchemaTransformObject(document)),
  });
  app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { docExpansion: "list", defaultModelsExpandDepth: 0, displayRequestDuration: true },
    theme: { title: "Deckhand API" },
  });
  app.after(() => {
    app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  });
}
