import path from "node:path";
import pg from "pg";
import { z } from "zod";
import { pendingMigrations } from "../../embedded/migrate.ts";
import { findPostgresBinaries } from "../../embedded/postgres-binaries.ts";
import { DATABASE, postgresUrl } from "../../embedded/postgres-server.ts";
import { readPostmaster } from "../../embedded/postmaster-file.ts";
import { messageOf } from "../../errors.ts";
import type { CheckContext, Finding } from "./finding.ts";

const VERSION_MIN = 14;
const CONNECT_TIMEOUT_MS = 5_000;
const Version = z.object({ server_version: z.string() });

/** The configured database, or the embedded one; that one only when it happens to run, since this starts nothing. */
export async function checkPostgres({ config }: CheckContext): Promise<Finding[]> {
  if (config.databaseUrl)
    return [await serverFinding(config.databaseUrl, "DATABASE_URL", "Start it, or mend DATABASE_URL.")];
  try {
    await findPostgresBinaries();
  } catch (error) {
    return [{ state: "fail", subject: "Postgres", detail: messageOf(error), mend: "Set DATABASE_URL." }];
  }
  const dir = path.join(config.home, "postgres");
  const running = await readPostmaster(path.join(dir, "data"));
  if (!running?.alive) return [{ state: "ok", subject: "Postgres", detail: "embedded, not running" }];
  const mend = `See ${path.join(dir, "postgres.log")}.`;
  return [await serverFinding(postgresUrl(running.socketDir, DATABASE), "embedded", mend)];
}

async function serverFinding(url: string, which: string, mend: string): Promise<Finding> {
  const subject = "Postgres";
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query("SHOW server_version");
    const version = Version.parse(rows[0]).server_version;
    const detail = `${which}, version ${version}`;
    if (Number.parseInt(version, 10) < VERSION_MIN) {
      return { state: "fail", subject, detail, mend: `Deckhand needs Postgres ${VERSION_MIN} or newer.` };
    }
    const pending = await pendingMigrations(client);
    if (pending.length === 0) return { state: "ok", subject, detail: `${detail}, all migrations applied` };
    return {
      state: "warn",
      subject,
      detail: `${detail}, not migrated: ${pending.join(", ")}`,
      mend: "`./deckhand up` does it.",
    };
  } catch (error) {
    return { state: "fail", subject, detail: `${which} does not answer (${messageOf(error)})`, mend };
  } finally {
    await client.end();
  }
}
