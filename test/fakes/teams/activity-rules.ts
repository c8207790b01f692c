import type { Attachment, Entity, OutboundActivity } from "./activity-shape.ts";
import { cardProblem } from "./card-rules.ts";
import { entityProblem } from "./entity-rules.ts";
import { recordOf } from "./record-of.ts";
import { badSyntax, Refusal } from "./refusal.ts";
import type { Conversation, Kind } from "./world.ts";

const ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive";
export const FILE_CONSENT = "application/vnd.microsoft.teams.card.file.consent";
export const FILE_INFO = "application/vnd.microsoft.teams.card.file.info";
const OTHER_CARDS = new Set([
  "application/vnd.microsoft.card.hero",
  "application/vnd.microsoft.card.thumbnail",
  "application/vnd.microsoft.card.signin",
]);
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif"]);

/** @throws Refusal 400 or 413, the first thing that is wrong */
export function refuseWrongActivity(
  activity: OutboundActivity,
  conversation: Conversation,
  sizeMaxBytes: number,
): void {
  const { type, text = "", attachments = [], entities = [] } = activity;
  const streams = entities.some((entity) => entity.type === "streaminfo");
  if (type === "message" && text.trim() === "" && attachments.length === 0)
    throw badSyntax("a message with nothing in it");
  if (type === "typing" && !streams && (text !== "" || attachments.length > 0))
    throw badSyntax("typing carries nothing");
  refuseTooLarge(activity, sizeMaxBytes);
  for (const attachment of attachments) {
    const problem = attachmentProblem(attachment, conversation.kind);
    if (problem !== null) throw badSyntax(problem);
  }
  for (const entity of entities) {
    const problem = entityProblem(entity, text, conversation);
    if (problem !== null) throw badSyntax(problem);
  }
  if (entities.filter((entity) => entity.type === "https://schema.org/Message").length > 1)
    throw badSyntax("more than one https://schema.org/Message among the entities");
}

/** UTF-16, without pictures. While streaming it is told in another way. */
function refuseTooLarge(activity: OutboundActivity, sizeMaxBytes: number): void {
  const bytes = 2 * JSON.stringify(activity).replaceAll(/data:image\/[a-z]+;base64,[A-Za-z0-9+/=]+/g, "").length;
  if (bytes <= sizeMaxBytes) return;
  const violation = `${bytes} bytes of UTF-16, which takes ${sizeMaxBytes}`;
  if (activity.entities?.some(({ type }) => type === "streaminfo"))
    throw new Refusal(403, "ContentStreamNotAllowed", "Message size too large", { violation });
  throw new Refusal(413, "MessageSizeTooBig", "Message size too large.", { violation });
}

function attachmentProblem({ contentType, content, contentUrl, name }: Attachment, kind: Kind): string | null {
  if (contentUrl?.startsWith("data:") && !/^data:image\/(png|jpeg|gif);base64,/.test(contentUrl))
    return `a data URI of ${contentType}: only pictures come that way`;
  if (contentType === ADAPTIVE_CARD) return cardProblem(content);
  if (contentType === FILE_CONSENT) return consentProblem(content, name, kind);
  if (contentType === FILE_INFO) return infoProblem(content, contentUrl, name);
  if (OTHER_CARDS.has(contentType)) return null;
  if (!IMAGES.has(contentType)) return `attachments of ${contentType} are not taken from bots`;
  return contentUrl === undefined ? `${contentType} without contentUrl` : null;
}

function consentProblem(content: unknown, name: string | undefined, kind: Kind): string | null {
  if (kind !== "personal") return `a file consent card in a ${kind}: bots have no files there`;
  const { sizeInBytes, description, ...contexts } = recordOf(content);
  if (typeof name !== "string" || name === "") return "a file consent card without a name";
  if (!Number.isInteger(sizeInBytes) || Number(sizeInBytes) < 1) return "a file consent card without sizeInBytes";
  if (typeof description !== "string") return "a file consent card without description";
  const unknown = Object.keys(contexts).find((key) => key !== "acceptContext" && key !== "declineContext");
  return unknown === undefined ? null : `a file consent card with ${unknown}`;
}

function infoProblem(content: unknown, contentUrl: string | undefined, name: string | undefined): string | null {
  const { uniqueId, fileType } = recordOf(content);
  if (typeof uniqueId !== "string" || typeof fileType !== "string") return "a file card without uniqueId or fileType";
  return contentUrl === undefined || name === undefined ? "a file card without contentUrl or name" : null;
}

/** What streaming keeps for the final message. */
export function adornmentsOf({ attachments = [], entities = [], channelData }: OutboundActivity): string[] {
  const labels = entities.filter(({ type }) => type === "https://schema.org/Message");
  return [
    ...attachments.map(({ contentType }) => contentType),
    ...labels.map(({ type }) => type),
    ...(channelData?.feedbackLoop || channelData?.feedbackLoopEnabled ? ["feedback"] : []),
  ];
}

export function streamEntityOf({ entities = [] }: OutboundActivity): Entity | undefined {
  return entities.find(({ type }) => type === "streaminfo");
}
