import { z } from "zod";
import type { Server } from "../server.ts";

export type Health = { ready: true } | { ready: false; reason: string };

const Ready = z.object({ status: z.literal("ok") });
const NotReady = z.object({ status: z.literal("starting"), reason: z.string() });

/** 200 once every role that was started in this process is ready, 503 with the reason before that. Needs no key. */
export function healthRoute(app: Server, health: () => Health): void {
  app.get(
    "/healthz",
    {
      schema: {
        tags: ["Health"],
        summary: "Is the server ready?",
        security: [],
        response: { 200: Ready, 503: NotReady },
      },
    },
    async (_request, reply) => {
      const state = health();
      if (state.ready) return { status: "ok" as const };
      return reply.code(503).send({ status: "starting", reason: state.reason });
    },
  );
}
