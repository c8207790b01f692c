/** How `schema-engine.mjs` reaches Postgres: `@prisma/adapter-pg`, with the three things mended that migrations need. */
import { randomUUID } from "node:crypto";
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import pg from "pg";

const CONNECT_TIMEOUT_MS = 10_000;
/** Postgres' internal `"char"`, which its catalogue uses and adapter-pg does not map, and the nearest type that it does. */
const CHAR_TYPES = new Map([
  [18, { standIn: 1042, columnType: ColumnTypeEnum.Character }],
  [1002, { standIn: 1014, columnType: ColumnTypeEnum.CharacterArray }],
]);

/** An adapter over one connection: the engine relies on session state (advisory lock, search_path). */
export async function openDatabase(url, afterDispose = async () => {}) {
  const schema = new URL(url).searchParams.get("schema") ?? undefined;
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: schema ? `-c search_path="${schema}"` : undefined,
  });
  // A shadow database is dropped under its idle connection. Errors of a query in progress reject that query instead.
  pool.on("error", () => {});
  const adapter = mapCharColumns(await new PrismaPg(pool, { schema, disposeExternalPool: true }).connect());
  // adapter-pg splits scripts at `;`, which breaks function bodies in `$$`. One simple query takes the script whole.
  // The engine insists on getting nothing back.
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error));
  };
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await afterDispose();
  };
  return adapter;
}

/** The configured shadow database, or a new one that is dropped again on dispose. */
export async function openShadowDatabase({ url, shadowDatabaseUrl }) {
  if (shadowDatabaseUrl) return openDatabase(shadowDatabaseUrl);
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  await execute(url, `CREATE DATABASE ${quote(name)}`);
  const shadow = new URL(url);
  shadow.pathname = `/${name}`;
  return openDatabase(shadow.toString(), () => execute(url, `DROP DATABASE IF EXISTS ${quote(name)} WITH (FORCE)`));
}

export const tryConnection = (url) => execute(url, "SELECT 1");
export const createDatabase = (url) => execute(maintenanceUrl(url), `CREATE DATABASE ${quote(databaseName(url))}`);
export const dropDatabase = (url) => execute(maintenanceUrl(url), `DROP DATABASE ${quote(databaseName(url))}`);

async function execute(connectionString, sql) {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The same server's `postgres` database: one cannot create or drop the database one is connected to. */
function maintenanceUrl(url) {
  const maintenance = new URL(url);
  maintenance.pathname = "/postgres";
  return maintenance.toString();
}

function databaseName(url) {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function quote(identifier) {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function mapCharColumns(queryable) {
  const { performIO, queryRaw, startTransaction } = queryable;
  let types = [];
  queryable.performIO = async (query) => {
    const result = await performIO.call(queryable, query);
    types = (result.fields ?? []).map((field) => field.dataTypeID);
    for (const field of result.fields ?? []) {
      field.dataTypeID = CHAR_TYPES.get(field.dataTypeID)?.standIn ?? field.dataTypeID;
    }
    return result;
  };
  queryable.queryRaw = async (query) => {
    const result = await queryRaw.call(queryable, query);
    result.columnTypes = result.columnTypes.map((type, i) => CHAR_TYPES.get(types[i])?.columnType ?? type);
    return result;
  };
  if (startTransaction) {
    queryable.startTransaction = async (...args) => mapCharColumns(await startTransaction.apply(queryable, args));
  }
  return queryable;
}
