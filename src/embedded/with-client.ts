import pg from "pg";

/** One connection for `work`, closed after it, which also releases the locks that the session holds. */
export async function withClient(
  connectionString: string,
  connectTimeoutMs: number,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs });
  // A connection that breaks rejects the call in progress, which is enough; without a listener it would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
  }
}
