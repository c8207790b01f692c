import { z } from "zod";
import { blocksProblem } from "../block-limits.ts";
import { fileWire } from "../file-wire.ts";
import { type Call, type Method, method, threadRoot, writableChannel } from "../method.ts";
import { blocksArgument, postAsApp } from "../posting.ts";
import { invalid, Refusal } from "../refusal.ts";
import { integer, json, ts } from "../wire.ts";

const WRITE = ["files:write"];

const getUploadUrl = method(
  { scopes: WRITE, tier: 4 },
  {
    filename: z.string().min(1),
    length: integer.refine((length) => length > 0, "a length above 0"),
    alt_text: z.string().max(1000).optional(),
    snippet_type: z.string().optional(),
  },
  ({ world, installation, settings }, args) => {
    const id = world.nextId("F");
    settings.uploads.set(id, { filename: args.filename, length: args.length, bytes: null, by: installation });
    return { upload_url: `${settings.origin}/upload/v1/${id}`, file_id: id };
  },
);

/** The answer comes before the message does. */
const completeUpload = method(
  { scopes: WRITE, tier: 4 },
  {
    files: json(
      z
        .array(z.strictObject({ id: z.string(), title: z.string().optional(), highlight_type: z.string().optional() }))
        .min(1),
    ),
    channel_id: z.string().optional(),
    thread_ts: ts.optional(),
    initial_comment: z.string().optional(),
    blocks: blocksArgument.optional(),
  },
  (call, args) => {
    const { world, installation, settings } = call;
    const problem = blocksProblem(args.blocks ?? []);
    if (problem) throw invalid(problem.code, [problem.problem]);
    if (args.thread_ts !== undefined && args.channel_id === undefined)
      throw invalid("invalid_arguments", ["thread_ts without channel_id"]);
    const channel = args.channel_id === undefined ? null : writableChannel(call, args.channel_id);
    if (channel && args.thread_ts !== undefined) threadRoot(call, channel.id, args.thread_ts);
    const uploads = args.files.map(({ id, title }) => {
      const upload = settings.uploads.get(id);
      if (!upload?.bytes || upload.by !== installation) throw new Refusal("file_not_found");
      return { id, title: title ?? upload.filename, name: upload.filename, bytes: upload.bytes };
    });
    for (const { id, title, name, bytes } of uploads) {
      settings.uploads.delete(id);
      const owner = { user: installation.botUserId, teamId: installation.teamIds[0] ?? installation.id };
      world.files.set(id, { id, name, title, bytes, mimetype: "application/octet-stream", ...owner, sharedIn: null });
    }
    if (channel) settings.later(settings.fileShareDelayMs, () => share(call, channel.id, args));
    return { files: uploads.map(({ id, title }) => ({ id, title })) };
  },
);

const info = method(
  { scopes: ["files:read"], tier: 4 },
  { file: z.string(), cursor: z.string().optional(), limit: integer.optional() },
  ({ world, installation, settings }, args) => {
    const file = world.files.get(args.file);
    const home = file?.sharedIn ? world.channels.get(file.sharedIn.channel) : undefined;
    const visible =
      file && (installation.teamIds.includes(file.teamId) || home?.members.includes(installation.botUserId));
    if (!visible) throw new Refusal("file_not_found");
    const shares = file.sharedIn ? { public: { [file.sharedIn.channel]: [{ ts: file.sharedIn.ts }] } } : {};
    return { file: { ...fileWire(file, settings.origin), shares }, comments: [] };
  },
);

export const fileMethods: Record<string, Method> = {
  "files.getUploadURLExternal": getUploadUrl,
  "files.completeUploadExternal": completeUpload,
  "files.info": info,
};

interface Share {
  files: { id: string }[];
  thread_ts?: string | undefined;
  initial_comment?: string | undefined;
  blocks?: z.infer<typeof blocksArgument> | undefined;
}

/** A comment wins over blocks. */
function share(call: Call, channel: string, { files, thread_ts, initial_comment, blocks }: Share): void {
  const fileIds = files.map(({ id }) => id);
  const said = initial_comment === undefined ? { blocks } : { text: initial_comment };
  const message = postAsApp(call, channel, { ...said, fileIds, threadTs: thread_ts });
  for (const id of fileIds) {
    const file = call.world.files.get(id);
    if (file) file.sharedIn = { channel, ts: message.ts };
  }
}
