import type { Call } from "./operation.ts";
import { Refusal } from "./refusal.ts";

const PART_BYTES = 320 * 1024;
const PUT_BYTES_MAX = 60 * 1024 * 1024;

export interface Range {
  total: number;
  end: number;
}

/** OneDrive's rules of upload sessions: ranges in order, whole multiples of 320 KiB but for the last. @throws Refusal */
export function refuseWrongRange(session: { total: number | null; received: Buffer }, { headers, body }: Call): Range {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "");
  if (!range) throw wrong(400, `Content-Range is ${headers["content-range"] ?? "missing"}`);
  const [start = 0, end = 0, total = 0] = range.slice(1).map(Number);
  if (session.total !== null && total !== session.total) throw wrong(400, `${total} bytes in all, of ${session.total}`);
  if (end - start + 1 !== body.length) throw wrong(400, `${body.length} bytes for the range ${start}-${end}`);
  if (end >= total) throw wrong(400, `range ${start}-${end} of ${total}`);
  if (body.length > PUT_BYTES_MAX) throw wrong(413, `${body.length} bytes at once`);
  if (start !== session.received.length)
    throw new Refusal(416, "invalidRange", `The next range begins at ${session.received.length}.`);
  if (end + 1 < total && body.length % PART_BYTES !== 0)
    throw wrong(400, `a part of ${body.length} bytes, which is no multiple of ${PART_BYTES}`);
  return { total, end };
}

function wrong(status: number, problem: string): Refusal {
  return new Refusal(status, "invalidRequest", problem, { violation: problem });
}
