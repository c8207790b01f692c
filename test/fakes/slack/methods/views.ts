import { z } from "zod";
import { type Block, viewBlock } from "../blocks.ts";
import { blocksProblem } from "../block-limits.ts";
import { plain } from "../block-elements.ts";
import { type Call, type Method, method } from "../method.ts";
import { invalid, Refusal } from "../refusal.ts";
import type { View } from "../world.ts";
import { json } from "../wire.ts";

const common = {
  blocks: z.array(viewBlock).max(100),
  private_metadata: z.string().max(3000).optional(),
  callback_id: z.string().max(255).optional(),
  external_id: z.string().max(255).optional(),
};
const modal = z.strictObject({
  type: z.literal("modal"),
  title: plain(24),
  submit: plain(24).optional(),
  close: plain(24).optional(),
  clear_on_close: z.boolean().optional(),
  notify_on_close: z.boolean().optional(),
  submit_disabled: z.boolean().optional(),
  ...common,
});
const home = z.strictObject({ type: z.literal("home"), ...common });

const open = method({ scopes: [], tier: 4 }, { trigger_id: z.string(), view: json(modal) }, (call, args) => {
  refuseView(args.view);
  const { user, teamId } = takeTrigger(call, args.trigger_id);
  return shown(call, store(call, { user, teamId, view: args.view }));
});

const update = method(
  { scopes: [], tier: 4 },
  {
    view_id: z.string().optional(),
    external_id: z.string().optional(),
    hash: z.string().optional(),
    view: json(modal),
  },
  (call, args) => {
    refuseView(args.view);
    const known = [...call.world.views.values()].find(
      ({ id, view }) =>
        id === args.view_id || (args.external_id !== undefined && view["external_id"] === args.external_id),
    );
    if (!known || !call.installation.teamIds.includes(known.teamId)) throw new Refusal("not_found");
    if (args.hash !== undefined && args.hash !== known.hash) throw new Refusal("hash_conflict");
    known.view = args.view;
    known.hash = call.world.nextId("h");
    return shown(call, known);
  },
);

const publish = method(
  { scopes: [], tier: 4 },
  { user_id: z.string(), hash: z.string().optional(), view: json(home) },
  (call, args) => {
    refuseView(args.view);
    const user = call.world.users.get(args.user_id);
    if (!user || !call.installation.teamIds.includes(user.teamId)) throw new Refusal("user_not_found");
    const key = `${user.teamId}:${user.id}`;
    const known = call.world.homes.get(key);
    if (args.hash !== undefined && known && args.hash !== known.hash) throw new Refusal("hash_conflict");
    const view = store(call, { user: user.id, teamId: user.teamId, view: args.view });
    call.world.homes.set(key, view);
    return shown(call, view);
  },
);

export const viewMethods: Record<string, Method> = {
  "views.open": open,
  "views.update": update,
  "views.publish": publish,
};

/** @throws Refusal when it was used, or too late */
function takeTrigger({ world, settings, installation }: Call, id: string) {
  const trigger = settings.triggers.get(id);
  if (!trigger || !installation.teamIds.includes(trigger.teamId))
    throw invalid("invalid_trigger_id", ["no such trigger"]);
  if (world.clock.now() >= trigger.expiresAt) throw new Refusal("expired_trigger_id");
  if (trigger.used) throw new Refusal("exchanged_trigger_id", { violation: "a trigger_id is good for one view" });
  trigger.used = true;
  return trigger;
}

function store({ world }: Call, view: Pick<View, "user" | "teamId" | "view">): View {
  const stored = { ...view, id: world.nextId("V"), hash: world.nextId("h") };
  world.views.set(stored.id, stored);
  return stored;
}

/** @throws Refusal */
function refuseView(view: { type: string; blocks: Block[]; submit?: unknown }): void {
  const problem = blocksProblem(view.blocks);
  if (problem) throw invalid("invalid_arguments", [problem.problem]);
  const asks = view.blocks.some(({ type }) => type === "input");
  if (view.type === "modal" && asks && !view.submit) throw invalid("invalid_arguments", ["an input without submit"]);
}

/** A view, as answers and payloads show it. */
export function viewWire(view: View, appId: string, botId: string) {
  const state = { values: {} };
  const ids = { id: view.id, team_id: view.teamId, app_id: appId, bot_id: botId, root_view_id: view.id };
  const blank = { private_metadata: "", callback_id: "", external_id: "", previous_view_id: null };
  return { ...blank, ...view.view, ...ids, hash: view.hash, state };
}

function shown({ settings, installation }: Call, view: View) {
  return { view: viewWire(view, settings.appId, installation.botId) };
}
