import { z } from "zod";
import type { Entity } from "./activity-shape.ts";
import type { Conversation } from "./world.ts";

const Mention = z.strictObject({
  type: z.literal("mention"),
  text: z.string().regex(/^<at>.+<\/at>$/s),
  mentioned: z.strictObject({ id: z.string(), name: z.string() }),
});

const Citation = z.strictObject({
  "@type": z.literal("Claim"),
  position: z.number().int().min(1),
  appearance: z.strictObject({
    "@type": z.literal("DigitalDocument"),
    name: z.string().min(1).max(80),
    url: z.url().optional(),
    abstract: z.string().min(1).max(160),
    text: z.string().optional(),
    encodingFormat: z.string().optional(),
    image: z.strictObject({ "@type": z.literal("ImageObject"), name: z.string() }).optional(),
    keywords: z.array(z.string().max(28)).max(3).optional(),
    usageInfo: z.looseObject({}).optional(),
  }),
});

const SchemaMessage = z.strictObject({
  type: z.literal("https://schema.org/Message"),
  "@type": z.literal("Message"),
  "@context": z.literal("https://schema.org"),
  "@id": z.string().optional(),
  additionalType: z.array(z.literal("AIGeneratedContent")).max(1).optional(),
  citation: z.array(Citation).max(10).optional(),
  usageInfo: z.looseObject({ "@type": z.literal("CreativeWork"), name: z.string() }).optional(),
});

/** What is wrong with an entity that a bot sends; streaming has its own rules. */
export function entityProblem(entity: Entity, text: string, conversation: Conversation): string | null {
  if (entity.type === "mention") return mentionProblem(entity, text, conversation);
  if (entity.type === "https://schema.org/Message") return labelProblem(entity, text);
  if (entity.type === "streaminfo" || entity.type === "quotedReply") return null;
  return `no entity ${entity.type} comes from bots`;
}

function mentionProblem(entity: Entity, text: string, { members }: Conversation): string | null {
  const parsed = Mention.safeParse(entity);
  if (!parsed.success) return `mention: ${z.prettifyError(parsed.error)}`;
  const { mentioned, text: shown } = parsed.data;
  if (!text.includes(shown)) return `mention: ${shown} is not in the text`;
  const known = members.some(({ id }) => id === mentioned.id);
  return known ? null : `mention: ${mentioned.id} is not in the conversation`;
}

function labelProblem(entity: Entity, text: string): string | null {
  const parsed = SchemaMessage.safeParse(entity);
  if (!parsed.success) return `https://schema.org/Message: ${z.prettifyError(parsed.error)}`;
  const missing = parsed.data.citation?.find(({ position }) => !text.includes(`[${position}]`));
  return missing === undefined ? null : `citation ${missing.position} is not in the text`;
}
