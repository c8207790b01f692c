import { z } from "zod";
import { invalid } from "../errors.ts";
import type { Keyset } from "../keyset.ts";
import { AgentVersion } from "../schemas/agent.ts";
import type { CreatedAtFilter } from "./created-at-filter.ts";

export type Order = z.infer<typeof Order>;

/** What of a listed object says where it stands. */
interface Listed {
  id: string;
  created_at: string;
}

export interface Page<Item> {
  data: Item[];
  next_page: string | null;
}

type Fetch<Item> = (keyset: Keyset) => Promise<Item[]>;

/** The last millisecond that a `Date` has. */
const TIME_MAX = 8.64e15;
const POSITION_MAX = 2n ** 63n - 1n;

const Order = z.enum(["asc", "desc"]);
const Cursor = z.tuple([Order, z.enum(["next", "prev"]), z.int().min(0).max(TIME_MAX), z.string()]);
const LogPosition = z.string().refine((text) => /^\d{1,19}$/.test(text) && BigInt(text) <= POSITION_MAX);
const LogCursor = z.tuple([Order, LogPosition]);
const VersionCursor = z.tuple([Order, AgentVersion]);

/** One page of a list that goes from new to old and has no way back. */
export async function forwardPage<Item extends Listed>(
  query: { limit: number; page?: string | undefined },
  fetch: Fetch<Item>,
): Promise<Page<Item>> {
  const { data, next_page } = await bidirectionalPage({ ...query, order: "desc" }, fetch);
  return { data, next_page };
}

/** One page of a list that can be walked both ways. `prev_page` is null on the first page. */
export async function bidirectionalPage<Item extends Listed>(
  query: { limit: number; page?: string | undefined; order: Order },
  fetch: Fetch<Item>,
): Promise<Page<Item> & { prev_page: string | null }> {
  const { order, limit } = query;
  const cursor = query.page ? decode(Cursor, query.page, order) : null;
  const after = cursor && { createdAt: new Date(cursor[2]), id: cursor[3] };
  const backward = cursor?.[1] === "prev";
  const found = await fetch({ order: backward ? opposite(order) : order, limit: limit + 1, after });

  const more = found.length > limit;
  const data = found.slice(0, limit);
  if (backward) data.reverse();
  const cursorAt = (item: Item | undefined, direction: "next" | "prev") =>
    item ? encode([order, direction, Date.parse(item.created_at), item.id]) : null;
  return {
    data,
    next_page: backward || more ? cursorAt(data.at(-1), "next") : null,
    prev_page: cursor && (!backward || more) ? cursorAt(data[0], "prev") : null,
  };
}

/** One page of a list that is short and at hand in full, oldest first. */
export function sliceOf<Item extends Listed>(
  items: Item[],
  query: { limit: number; page?: string | undefined },
): Page<Item> {
  const after = query.page ? decode(Cursor, query.page, "asc")[3] : null;
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1;
  const data = items.slice(start, start + query.limit);
  const last = data.at(-1);
  const more = start + data.length < items.length;
  return { data, next_page: more && last ? encode(["asc", "next", Date.parse(last.created_at), last.id]) : null };
}

/** One page of an agent's versions, newest first. */
export async function versionPage<Item extends { version: number }>(
  { limit, page }: { limit: number; page?: string | undefined },
  fetch: (stretch: { limit: number; before: number | null }) => Promise<Item[]>,
): Promise<Page<Item>> {
  const found = await fetch({ limit: limit + 1, before: page ? decode(VersionCursor, page, "desc")[1] : null });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data, next_page: found.length > limit && last ? encode(["desc", last.version]) : null };
}

/** @throws AppError `invalid_request` when a filter on the time of creation shuts out the place a cursor stands for */
export function assertCursorWithin(page: string | undefined, order: Order, filter: CreatedAtFilter): void {
  if (!page) return;
  const at = decode(Cursor, page, order)[2];
  const { gt, gte, lt, lte } = filter;
  const excluded =
    (gt !== undefined && at <= Date.parse(gt)) ||
    (gte !== undefined && at < Date.parse(gte)) ||
    (lt !== undefined && at >= Date.parse(lt)) ||
    (lte !== undefined && at > Date.parse(lte));
  if (excluded) {
    throw invalid("page: the `created_at` filter excludes the position of this cursor; keep the filter between pages");
  }
}

/** A position in a session's log, as the log itself names it. */
export const encodeLogCursor = (order: Order, position: string) => encode([order, position]);
export const decodeLogCursor = (page: string, order: Order) => decode(LogCursor, page, order)[1];

const opposite = (order: Order): Order => (order === "asc" ? "desc" : "asc");

const encode = (cursor: unknown[]) => Buffer.from(JSON.stringify(cursor)).toString("base64url");

function decode<Value extends [Order, ...unknown[]]>(schema: z.ZodType<Value>, page: string, order: Order): Value {
  const parsed = schema.safeParse(jsonOf(page));
  if (!parsed.success) throw invalid("page: not a cursor of this list; pass `next_page` of the page before unchanged");
  if (parsed.data[0] !== order) throw invalid(`page: this cursor belongs to order=${parsed.data[0]}, not ${order}`);
  return parsed.data;
}

function jsonOf(page: string): unknown {
  try {
    return JSON.parse(Buffer.from(page, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
