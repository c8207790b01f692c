import type { FastifyReply } from "fastify";
import { z } from "zod";
import { DOWNLOAD_PATH, type FileLinks } from "../../files/file-links.ts";
import { sendBytes, sendFile } from "../file-reply.ts";
import type { Server } from "../server.ts";

const TokenPath = z.object({ token: z.string() });
const Text = (description: string) => ({ description, content: { "text/plain": { schema: z.string() } } });

const EXPIRED = "This link has expired. Ask for a new one where you got it.\n";
const GONE = "This link does not work. It may be incomplete, or the file was deleted.\n";
const FAILED = "The file can't be read just now. Try again in a minute.\n";

/** Serves signed links to people's browsers, so that what goes wrong is said in plain text. */
export function downloadRoute(app: Server, links: Pick<FileLinks, "open">): void {
  app.setErrorHandler((error, request, reply) => {
    request.log.error({ err: error }, "download failed");
    return say(reply, 500, FAILED);
  });

  app.get(
    `${DOWNLOAD_PATH}:token`,
    {
      schema: {
        tags: ["Files"],
        summary: "Download a file by its link",
        description: "Not part of the hosted API. The link is the permission: it needs no API key.",
        security: [],
        params: TokenPath,
        response: {
          200: {
            description: "The file's bytes, with its own content type.",
            content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } },
          },
          404: Text("Nobody signed this link, or its file is gone."),
          410: Text("The link's time is over."),
        },
      },
    },
    async ({ params }, reply) => {
      // The address is all that it takes to get the file: nobody else shall be told it, nor keep what it gave.
      reply.header("cache-control", "private, no-store").header("referrer-policy", "no-referrer");
      const link = await links.open(params.token);
      switch (link.type) {
        case "open":
          return sendFile(reply, link.opened);
        case "expired":
          return say(reply, 410, EXPIRED);
        case "gone":
          return say(reply, 404, GONE);
      }
    },
  );
}

function say(reply: FastifyReply, status: number, text: string): FastifyReply {
  return sendBytes(reply.code(status), "text/plain; charset=utf-8").serializer(String).send(text);
}
