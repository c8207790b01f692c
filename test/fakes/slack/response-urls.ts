import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { blocksProblem } from "./block-limits.ts";
import { messageBlock } from "./blocks.ts";
import { named, removeMessage } from "./posting.ts";
import { findMessage, type World } from "./world.ts";

const USES_MAX = 5;
const LIFETIME_MS = 30 * 60_000;
const Body = z.strictObject({
  text: z.string().optional(),
  blocks: z.array(messageBlock).max(50).optional(),
  response_type: z.enum(["ephemeral", "in_channel"]).optional(),
  replace_original: z.boolean().optional(),
  delete_original: z.boolean().optional(),
  thread_ts: z.string().optional(),
});

interface Target {
  channel: string;
  user: string;
  botUserId: string;
  /** Of the message whose button was pressed; null for a command. */
  messageTs: string | null;
  issuedAt: number;
  uses: number;
}

/** The places where the answer to a press or a command goes: five times within half an hour. */
export interface ResponseUrls {
  issue(target: Pick<Target, "channel" | "user" | "botUserId" | "messageTs">): string;
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
}

export function createResponseUrls(world: World, violations: string[], origin: () => string): ResponseUrls {
  const targets = new Map<string, Target>();
  return {
    issue(target) {
      const id = world.nextId("response-");
      targets.set(id, { ...target, issuedAt: world.clock.now(), uses: 0 });
      return `${origin()}/response/${id}`;
    },
    async answer(request, response, path) {
      const target = targets.get(path.split("/").at(-1) ?? "");
      const parsed = Body.safeParse(await json(request));
      const refuse = (error: string, status = 404) => {
        violations.push(`response_url: ${error}`);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ ok: false, error }));
      };
      if (!target || world.clock.now() - target.issuedAt > LIFETIME_MS) return refuse("expired_url");
      if (target.uses >= USES_MAX) return refuse("used_url");
      if (!parsed.success) return refuse(z.prettifyError(parsed.error), 400);
      const problem = blocksProblem(parsed.data.blocks ?? []);
      if (problem) return refuse(`${problem.code}: ${problem.problem}`, 400);
      target.uses += 1;
      apply(world, target, parsed.data);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ok: true }));
    },
  };
}

function apply(world: World, target: Target, body: z.infer<typeof Body>): void {
  const original = target.messageTs === null ? undefined : findMessage(world, target.channel, target.messageTs);
  if (original && body.delete_original) return removeMessage({ world }, original);
  const blocks = named(body.blocks ?? []);
  if (original && body.replace_original) {
    original.text = body.text ?? "";
    original.blocks = blocks;
    return;
  }
  const installation = world.installations.find(({ botUserId }) => botUserId === target.botUserId);
  world.messages.push({
    channel: target.channel,
    ts: world.clock.nextTs(),
    team: installation?.id ?? "",
    user: target.botUserId,
    botId: installation?.botId ?? null,
    text: body.text ?? "",
    blocks,
    attachments: [],
    metadata: null,
    threadTs: body.thread_ts ?? null,
    fileIds: [],
    edited: null,
    reactions: [],
    subtype: null,
    ephemeralFor: body.response_type === "in_channel" ? null : target.user,
  });
}
