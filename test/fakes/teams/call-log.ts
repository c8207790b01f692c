/** A call to any of the fake's services, as it came in. */
export interface LoggedCall {
  /** Such as `send`, `update`, `token`, `graph.share`; `unknown` for a path that none of them has. */
  operation: string;
  method: string;
  path: string;
  query: Record<string, string>;
  /** Of the connector: without `;messageid=`. */
  conversation: string | null;
  /** JSON as the bot sent it, with every field; a number of bytes for what is no JSON; null without a body. */
  body: unknown;
  /** In ms since the epoch, by the fake's clock. */
  at: number;
  /** What was decided, arrived or not; null while at it, and when a fault came first. */
  answer: { status: number; body: unknown } | null;
}
