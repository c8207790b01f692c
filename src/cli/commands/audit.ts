import { parseArgs } from "node:util";
import type { AuditEntry } from "../../../bots/shared/chat-records.ts";
import { withChatRecords } from "../chat-records.ts";
import type { Command } from "../command.ts";
import { LIMIT, LIMIT_MAX, limitOption } from "../limit-option.ts";
import { placeNamed } from "../place-argument.ts";

export const command: Command = {
  summary: "Show who did what in chat: sessions, approvals, stops, denials, policy changes",
  usage: `Usage: deckhand audit [--place PLACE] [--session ID] [--limit N] [--json]

Latest first.

Options:
  --place PLACE   Only a channel (slack:T0123:C0456, teams:TENANT:CONVERSATION), or a workspace or tenant with its
                  channels (slack:T0123, teams:TENANT).
  --session ID    Only what concerns this session.
  --limit N       At most so many, 1 to ${LIMIT_MAX}. ${LIMIT} by default.
  --json          One JSON object a line.`,

  async run(args, io) {
    const { place, sessionId, limit, json } = readOptions(args);
    const filter = { limit, ...(place !== null && { place }), ...(sessionId !== null && { sessionId }) };
    const entries = await withChatRecords(io, (records) => records.audit.list(filter));
    for (const entry of entries) io.stdout.write(`${json ? JSON.stringify(entry) : lineOf(entry)}\n`);
    if (entries.length === 0 && !json) io.stdout.write("Nothing is on record.\n");
    return 0;
  },
};

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      place: { type: "string" },
      session: { type: "string" },
      limit: { type: "string" },
      json: { type: "boolean" },
    },
  });
  return {
    place: values.place === undefined ? null : placeNamed(values.place),
    sessionId: values.session ?? null,
    limit: limitOption(values.limit),
    json: values.json ?? false,
  };
}

function lineOf({ at, action, place, thread, sessionId, person, personName, email, detail }: AuditEntry): string {
  const who = person === null ? "-" : `${personName ?? person} <${email ?? person}>`;
  return [
    at.toISOString(),
    action.padEnd(16),
    who,
    thread ?? place ?? "-",
    sessionId ?? "-",
    JSON.stringify(detail),
  ].join("  ");
}
