import { parseArgs } from "node:util";
import { createGatewayRequestStore, type RecordedRequest } from "../../gateway/gateway-request-store.ts";
import { type Command, UsageError } from "../command.ts";
import { LIMIT, LIMIT_MAX, limitOption } from "../limit-option.ts";
import { withDatabase } from "../with-database.ts";

const SECONDS = { m: 60, h: 3_600, d: 86_400 };
const DURATION = /^(\d{1,5})(m|h|d)$/;
const TITLES = ["TIME", "SESSION", "METHOD", "TARGET", "DECISION", "RULE", "STATUS", "OUT", "IN", "CREDENTIALS"];

export const command: Command = {
  summary: "Show what sandboxes asked of the network, and what became of it",
  usage: `Usage: deckhand egress [--session ID] [--workspace ID] [--denied] [--since TIME] [--limit N] [--json]

Every request that sandboxes and builds of environments sent through the gateway: latest last. A tunnel, which nobody
looked into, is one CONNECT. OUT and IN are bytes from the sandbox and to it.

Options:
  --session ID     Only of this session.
  --workspace ID   Only of this workspace.
  --denied         Only what was refused.
  --since TIME     Only from then on: 30m, 24h or 7d ago, or a time such as 2026-11-22T08:00Z.
  --limit N        At most so many, 1 to ${LIMIT_MAX}. ${LIMIT} by default.
  --json           One JSON object a line.`,

  async run(args, io) {
    const { json, ...filter } = readOptions(args);
    const requests = await withDatabase(io, ({ pool }) => createGatewayRequestStore(pool).list(filter));
    if (json) for (const request of requests) io.stdout.write(`${JSON.stringify(request)}\n`);
    else io.stdout.write(requests.length > 0 ? table(requests) : "Nothing is on record.\n");
    return 0;
  },
};

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      session: { type: "string" },
      workspace: { type: "string" },
      denied: { type: "boolean" },
      since: { type: "string" },
      limit: { type: "string" },
      json: { type: "boolean" },
    },
  });
  return {
    sessionId: values.session ?? null,
    workspaceId: values.workspace ?? null,
    deniedOnly: values.denied ?? false,
    since: values.since === undefined ? null : timeOf(values.since),
    limit: limitOption(values.limit),
    json: values.json ?? false,
  };
}

function timeOf(text: string): Date {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (unit === "m" || unit === "h" || unit === "d") return new Date(Date.now() - Number(count) * SECONDS[unit] * 1000);
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new UsageError(
    `--since is 30m, 24h or 7d, or a time such as 2026-11-22T08:00Z; ${JSON.stringify(text)} is not.`,
  );
}

function table(requests: readonly RecordedRequest[]): string {
  const rows = [TITLES, ...requests.map(cellsOf)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function cellsOf(request: RecordedRequest): string[] {
  const { at, sessionId, method, scheme, host, port, path, decision, rule, status } = request;
  const target = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path ?? ""}`;
  const bytes = [String(request.bytesOut), String(request.bytesIn)];
  const shown = [at.toISOString(), sessionId ?? "(build)", method, target, decision, rule, String(status ?? "-")];
  return [...shown, ...bytes, request.credentialIds.join(",") || "-"].map(printable);
}

/** Much of it is the agent's own words: none of them is to reach the terminal as a command. */
const printable = (text: string) =>
  text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
