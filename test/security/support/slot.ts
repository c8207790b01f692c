import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import path from "node:path";
import pg from "pg";
import { openGatewayDir } from "../../../src/roles/gateway-dir.ts";
import { errorCode } from "../../../src/embedded/file-errors.ts";
import type { TestHome } from "../../e2e/support/test-home.ts";

/** The socket of a session's sandbox, on the host. */
export async function slotOf({ home, database }: TestHome, sessionId: string): Promise<string> {
  const client = new pg.Client({ connectionString: await database.url() });
  await client.connect();
  try {
    const sql = "SELECT gateway_id FROM sandboxes WHERE session_id = $1";
    const { rows } = await client.query<{ gateway_id: string }>(sql, [sessionId]);
    const root = await openGatewayDir({
      home,
      gateway: { dir: null } as Parameters<typeof openGatewayDir>[0]["gateway"],
    });
    return path.join(root, rows[0]?.gateway_id ?? "", "gateway.sock");
  } finally {
    await client.end();
  }
}

/** What who has that socket is answered: a status and why, or "closed". */
export async function slotAnswer(socketPath: string, url: string): Promise<string> {
  const asked = request({ socketPath, path: url, headers: { host: new URL(url).host, connection: "close" } });
  asked.end();
  try {
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return `${response.statusCode} ${String(response.headers["x-deckhand-denied"] ?? "")}`.trim();
  } catch (error) {
    if (["ENOENT", "ECONNREFUSED", "ECONNRESET"].includes(errorCode(error) ?? "")) return "closed";
    throw error;
  }
}
