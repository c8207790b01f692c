import path from "node:path";
import pg from "pg";
import { z } from "zod";
import { pendingMigrations } from "../../embedded/migrate.ts";
import { findPostgresBinaries } from "../../embedded/postgres-binaries.ts";
import { DATABASE, postgresUrl } from "../../embedded/postgres-server.ts";
import { readPostmaster } from "../../embedded/postmaster-file.ts";
import { messageOf } from "../../errors.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { clockFinding } from "./machine.ts";

const VERSION_MIN = 14;
const CONNECT_TIMEOUT_MS = 5_000;
const Server = z.object({ server_version: z.string(), now: z.date() });

/** The configured database, or the embedded one; that one only when it happens to run, since this starts nothing. */
export async function checkPostgres({ config }: CheckContext): Promise<Finding[]> {
  if (config.databaseUrl) return serverFindings(config.databaseUrl, "DATABASE_URL", "Start it, or mend DATABASE_URL.");
  try {
    await findPostgresBinaries();
  } catch (error) {
    return [{ state: "fail", subject: "Postgres", detail: messageOf(error), mend: "Set DATABASE_URL." }];
  }
  const dir = path.join(config.home, "postgres");
  const running = await readPostmaster(path.join(dir, "data"));
  if (!running?.alive) return [{ state: "ok", subject: "Postgres", detail: "embedded, not running" }];
  const mend = `See ${path.join(dir, "postgres.log")}.`;
  return serverFindings(postgresUrl(running.socketDir, DATABASE), "embedded", mend);
}

async function serverFindings(url: string, which: string, mend: string): Promise<Finding[]> {
  const subject = "Postgres";
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => {});
  try {
    await client.connect();
    const asked = new Date();
    const { rows } = await client.query(
      "SELECT current_setting('server_version') AS server_version, clock_timestamp() AS now",
    );
    const { server_version: version, now } = Server.parse(rows[0]);
    const clock = clockFinding("Postgres", now, asked);
    const detail = `${which}, version ${version}`;
    if (Number.parseInt(version, 10) < VERSION_MIN) {
      return [{ state: "fail", subject, detail, mend: `Deckhand needs Postgres ${VERSION_MIN} or newer.` }];
    }
    const pending = await pendingMigrations(client);
    if (pending.length === 0) return [{ state: "ok", subject, detail: `${detail}, all migrations applied` }, clock];
    const missing = `${detail}, not migrated: ${pending.join(", ")}`;
    return [{ state: "warn", subject, detail: missing, mend: "`./deckhand up` does it." }, clock];
  } catch (error) {
    return [{ state: "fail", subject, detail: `${which} does not answer (${messageOf(error)})`, mend }];
  } finally {
    await client.end();
  }
}
