import type { TokenDefect } from "./channel-tokens.ts";
import { FILE_CONSENT } from "./activity-rules.ts";
import { actionsOf } from "./card-rules.ts";
import type { Drive } from "./drive.ts";
import { envelope } from "./inbound.ts";
import type { Attempt, Outbox, Sent } from "./outbox.ts";
import { recordOf } from "./record-of.ts";
import { type Activity, userOf, type User, type World } from "./world.ts";

export interface Press {
  activityId: string;
  user: string;
  /** Of the button: its verb, its id or its title. */
  action: string;
  /** What was filled in, by the inputs' ids. */
  inputs?: Record<string, unknown>;
  /** An old client, which knows no Action.Execute. */
  asSubmit?: boolean;
  token?: TokenDefect;
}

/** What people do with the bot's messages. Each is an invoke, but for Action.Submit; `done` has its response. */
export interface Interactions {
  press(press: Press): Sent;
  /** Accepting begins an upload in the person's OneDrive, whose URL is in the invoke. */
  consent(activityId: string, user: string, answer: "accept" | "decline"): Sent;
  /** The thumbs under a message that has the feedback loop. */
  feedback(activityId: string, user: string, reaction: "like" | "dislike", text?: string): Sent;
  /** Any other invoke. */
  invoke(conversationOf: Activity, user: string, name: string, value: unknown): Sent;
}

export interface InteractionDeps {
  world: World;
  outbox: Outbox;
  drive: Drive;
  serviceUrl(): string;
}

export function createInteractions(deps: InteractionDeps): Interactions {
  const { world, outbox, drive } = deps;
  const written = (id: string): Activity => {
    const found = world.activities.find((each) => each.id === id && each.from === null && !each.deleted);
    if (!found) throw new Error(`The bot has no message ${id}.`);
    return found;
  };
  const from = (activity: Activity, user: User, more: Record<string, unknown>, defect?: TokenDefect) => {
    const { conversation, rootId } = activity;
    const head = envelope(world, { conversation, user, rootId, serviceUrl: deps.serviceUrl(), wholeTeam: false });
    return outbox.send({ ...head, id: world.nextActivityId(), replyToId: activity.id, ...more }, defect);
  };
  const invoke = (activity: Activity, name: string, value: unknown, user: User, defect?: TokenDefect) =>
    from(activity, user, { type: "invoke", name, value, id: `f:${world.nextId("invoke-")}` }, defect);

  return {
    press({ activityId, user: userName, action: named, inputs = {}, asSubmit = false, token }) {
      const activity = written(activityId);
      const user = userOf(world, userName);
      const action = actionNamed(activity, named);
      if (action["type"] === "Action.Execute" && !asSubmit) {
        const { type, verb, id } = action;
        const given = { type, verb, ...(id !== undefined && { id }), data: { ...recordOf(action["data"]), ...inputs } };
        const sent = invoke(activity, "adaptiveCard/action", { action: given, trigger: "manual" }, user, token);
        return { ...sent, done: sent.done.then((answer) => shown(activity, user, answer)) };
      }
      const submit = action["type"] === "Action.Execute" ? recordOf(action["fallback"]) : action;
      if (submit["type"] !== "Action.Submit")
        throw new Error(`${named} can't be pressed: it is ${String(submit["type"])}.`);
      return from(activity, user, { type: "message", value: { ...recordOf(submit["data"]), ...inputs } }, token);
    },
    consent(activityId, userName, answer) {
      const activity = written(activityId);
      const card = attachmentsOf(activity).find(({ contentType }) => contentType === FILE_CONSENT);
      if (!card) throw new Error(`Message ${activityId} asks for no consent.`);
      const { acceptContext, declineContext, sizeInBytes } = recordOf(card["content"]);
      const user = userOf(world, userName);
      const context = answer === "accept" ? acceptContext : declineContext;
      const value = { type: "fileUpload", action: answer, context };
      if (answer === "decline") return invoke(activity, "fileConsent/invoke", value, user);
      const place = { driveId: `b!onedrive-${user.key}`, parentId: "applications", name: String(card["name"]) };
      const { session, uploadUrl } = drive.begin({ ...place, total: Number(sizeInBytes) });
      const fileType = place.name.split(".").at(-1) ?? "";
      const contentUrl = `https://acme-my.sharepoint.test/personal/${user.key}/Applications/${encodeURIComponent(place.name)}`;
      const uploadInfo = { contentUrl, name: place.name, uploadUrl, uniqueId: session.uniqueId, fileType };
      return invoke(activity, "fileConsent/invoke", { ...value, uploadInfo }, user);
    },
    feedback(activityId, userName, reaction, text = "") {
      const activity = written(activityId);
      const { feedbackLoop, feedbackLoopEnabled } = recordOf(activity.wire["channelData"]);
      if (feedbackLoop === undefined && feedbackLoopEnabled !== true)
        throw new Error(`Message ${activityId} has no feedback buttons.`);
      const actionValue = { reaction, feedback: JSON.stringify({ feedbackText: text }) };
      return invoke(activity, "message/submitAction", { actionName: "feedback", actionValue }, userOf(world, userName));
    },
    invoke: (activity, userName, name, value) => invoke(activity, name, value, userOf(world, userName)),
  };
}

/** A card in the response goes before the eyes of the one who pressed, and of nobody else. */
function shown(activity: Activity, user: User, answer: Attempt): Attempt {
  const { type, value } = recordOf(answer.body);
  if (answer.status === 200 && type === "application/vnd.microsoft.card.adaptive") activity.views.set(user.id, value);
  return answer;
}

function actionNamed(activity: Activity, named: string): Record<string, unknown> {
  const actions = attachmentsOf(activity).flatMap(({ content }) => actionsOf(content));
  const found = actions.find(({ verb, id, title }) => [verb, id, title].includes(named));
  if (found) return found;
  const there = actions.map(({ verb, title }) => String(verb ?? title)).join(", ");
  throw new Error(`Message ${activity.id} has no button ${named}, but ${there || "none"}.`);
}

function attachmentsOf({ wire }: Activity): Record<string, unknown>[] {
  const { attachments } = wire;
  return Array.isArray(attachments) ? attachments.map(recordOf) : [];
}
