/** A place in a list that is ordered by creation. */
export interface Position {
  createdAt: Date;
  id: string;
}

/** A stretch of such a list: at most `limit` rows that come after a place, in the given order. */
export interface Keyset {
  order: "asc" | "desc";
  limit: number;
  after: Position | null;
}

/** The clauses of a Prisma query for a stretch, for any model with `createdAt` and `id`. */
export function keysetClauses({ order, limit, after }: Keyset) {
  const orderBy: ({ createdAt: "asc" | "desc" } | { id: "asc" | "desc" })[] = [{ createdAt: order }, { id: order }];
  return { where: after ? beyond(order, after) : {}, orderBy, take: limit };
}

/** The outer bound alone says nothing new; it is what lets Postgres start in the middle of an index. */
function beyond(order: "asc" | "desc", { createdAt, id }: Position) {
  return order === "asc"
    ? { createdAt: { gte: createdAt }, OR: [{ createdAt: { gt: createdAt } }, { id: { gt: id } }] }
    : { createdAt: { lte: createdAt }, OR: [{ createdAt: { lt: createdAt } }, { id: { lt: id } }] };
}
