import { z } from "zod";
import { type Call, type Method, method, threadRoot, writableChannel } from "../method.ts";
import { Refusal } from "../refusal.ts";
import { json, ts } from "../wire.ts";

const WRITE = ["chat:write"];
const title = z.string().min(1).max(200);

const setStatus = method(
  { scopes: WRITE, tier: 3 },
  {
    channel_id: z.string(),
    thread_ts: ts,
    status: z.enum(["processing", "active", "suspended", "closed"]),
    title: title.optional(),
    initiator_user_id: z.string().optional(),
  },
  (call, args) => {
    refuseUnlessAgent(call);
    const channel = writableChannel(call, args.channel_id);
    threadRoot(call, channel.id, args.thread_ts);
    const key = `${channel.id}:${args.thread_ts}`;
    const known = call.world.sessions.get(key);
    if (!known && args.initiator_user_id !== undefined && !channel.members.includes(args.initiator_user_id))
      throw new Refusal("user_not_in_channel");
    const session = { channel: channel.id, threadTs: args.thread_ts, status: args.status };
    call.world.sessions.set(key, { ...session, title: known ? known.title : (args.title ?? null) });
    if (call.settings.events.has("agent_session_stopped")) return {};
    const warning = "missing_agent_session_stopped_event_subscription";
    return { warning, response_metadata: { warnings: [warning] } };
  },
);

const rename = method({ scopes: WRITE, tier: 3 }, { channel_id: z.string(), thread_ts: ts, title }, (call, args) => {
  refuseUnlessAgent(call);
  const channel = writableChannel(call, args.channel_id);
  const session = call.world.sessions.get(`${channel.id}:${args.thread_ts}`);
  if (!session) throw new Refusal("session_not_found");
  session.title = args.title;
  return {};
});

const setThreadStatus = method(
  { scopes: ["assistant:write|chat:write"], tier: 4 },
  {
    channel_id: z.string(),
    thread_ts: ts,
    status: z.string(),
    loading_messages: json(z.array(z.string().min(1)).min(1).max(10)).optional(),
  },
  (call, args) => {
    const channel = writableChannel(call, args.channel_id);
    threadRoot(call, channel.id, args.thread_ts);
    const shown = { status: args.status, loadingMessages: args.loading_messages ?? [] };
    call.world.statuses.set(`${channel.id}:${args.thread_ts}`, shown);
    return {};
  },
);

const setSuggestedPrompts = method(
  { scopes: ["assistant:write"], tier: 4 },
  {
    channel_id: z.string(),
    thread_ts: ts.optional(),
    title: z.string().optional(),
    prompts: json(
      z
        .array(z.strictObject({ title: z.string().min(1), message: z.string().min(1) }))
        .min(1)
        .max(4),
    ),
  },
  (call, args) => {
    const channel = writableChannel(call, args.channel_id);
    if (channel.kind !== "im") throw new Refusal("channel_type_not_supported");
    call.world.prompts.set(channel.id, args.prompts);
    return {};
  },
);

export const agentMethods: Record<string, Method> = {
  "agents.sessions.setStatus": setStatus,
  "agents.sessions.rename": rename,
  "assistant.threads.setStatus": setThreadStatus,
  "assistant.threads.setSuggestedPrompts": setSuggestedPrompts,
};

function refuseUnlessAgent({ settings }: Call): void {
  if (!settings.isAgent) throw new Refusal("not_authorized");
}
