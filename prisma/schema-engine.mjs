#!/usr/bin/env node
/**
 * Stands in for Prisma's native `schema-engine` binary, which Prisma would otherwise download from outside npm: the same
 * arguments and the same JSON-RPC over stdio, answered by the WebAssembly build of the same engine commit over
 * `@prisma/adapter-pg`. `prisma.config.ts` points the Prisma CLI here.
 *
 * The protocol is internal to Prisma, so every Prisma package is pinned to one exact version in `package.json`, and
 * `test/embedded/schema-engine.int.test.ts` runs the commands we use through it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as wasm from "@prisma/schema-engine-wasm/schema_engine_bg";
import {
  createDatabase,
  dropDatabase,
  openDatabase,
  openShadowDatabase,
  tryConnection,
} from "./schema-engine-database.mjs";

/** The JSON-RPC code under which the CLI looks for a Prisma error in `error.data`. */
const ENGINE_ERROR = 4466;
/** The CLI's calls that the WebAssembly build has under another name. */
const WASM_NAMES = { getDatabaseVersion: "version" };
const DATABASE_COMMANDS = {
  "can-connect-to-database": tryConnection,
  "create-database": createDatabase,
  "drop-database": dropDatabase,
};

const require = createRequire(import.meta.url);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: "boolean", default: false },
    datamodels: { type: "string", multiple: true, default: [] },
    datasource: { type: "string", default: "{}" },
    "enabled-preview-features": { type: "string" },
    "extension-types": { type: "string" },
  },
});
const datasource = JSON.parse(values.datasource);

if (values.version) process.stdout.write(`schema-engine-wasm ${engineCommit()}\n`);
else if (positionals[0] === "cli") await runDatabaseCommand(positionals[1]);
else await serve();

/** The last part of the package's version, such as `7.10.0-4.<commit>`. */
function engineCommit() {
  const manifest = new URL("package.json", import.meta.resolve("@prisma/schema-engine-wasm"));
  return JSON.parse(readFileSync(manifest, "utf8")).version.split(".").at(-1);
}

/** `schema-engine cli <command>`: what the CLI asks about the database as a whole, outside the JSON-RPC session. */
async function runDatabaseCommand(name) {
  const run = DATABASE_COMMANDS[name];
  if (!run) throw new Error(`schema-engine: unknown command \`${name}\``);
  try {
    await run(datasource.url);
  } catch (error) {
    process.exitCode = 1;
    const fields = databaseError(error);
    const line = { timestamp: new Date().toISOString(), level: "ERROR", fields, target: "schema_engine::logger" };
    process.stderr.write(`\n${JSON.stringify(line)}\n`);
  }
}

/** A Postgres or socket error as the Prisma code that the CLI acts on, such as P1003 to offer creating the database. */
function databaseError(error) {
  const code = { "3D000": "P1003", "28P01": "P1000", "42P04": "P1009" }[error.code];
  if (code) return { message: error.message, error_code: code };
  return { message: `Can't reach database server (${error.message})`, error_code: "P1001" };
}

async function serve() {
  const session = { request: null, panic: "" };
  await loadWasm(session);
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "@prisma/adapter-pg",
    connect: () => openDatabase(datasource.url),
    connectToShadowDb: () => openShadowDatabase(datasource),
  });
  const datamodels = values.datamodels.map((path) => [path, readFileSync(path, "utf8")]);
  const options = { datamodels: datamodels.length > 0 ? datamodels : undefined };
  const engine = await wasm.SchemaEngine.new(options, () => {}, factory);

  for await (const line of createInterface({ input: process.stdin })) {
    const message = line.trim() ? JSON.parse(line) : {};
    if (!message.method) continue; // The CLI's answer to our own `print` call.
    session.request = message;
    send(await answer(engine, factory, message));
  }
  // The engine has no way to close its connections, and they would keep this process alive.
  process.exit(0);
}

/** Instantiates the engine by hand: the package's own entry expects a bundler that can import `.wasm` files. */
async function loadWasm(session) {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => (session.panic = message) };
  process.on("uncaughtException", (error) => {
    const message = session.panic || error.message;
    const data = { is_panic: true, message, error: { message } };
    send({ jsonrpc: "2.0", id: session.request?.id, error: { code: ENGINE_ERROR, message, data } }, () =>
      process.exit(101),
    );
  });
  const entry = require.resolve("@prisma/schema-engine-wasm");
  const binary = readFileSync(entry.replace(/schema_engine\.js$/, "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(binary, { "./schema_engine_bg.js": wasm });
  wasm.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

async function answer(engine, factory, { id, method, params }) {
  const name = WASM_NAMES[method] ?? method;
  try {
    if (typeof engine[name] !== "function")
      throw new Error(`The WebAssembly schema engine has no method \`${method}\`.`);
    // This call cannot open a shadow database in the WebAssembly build; it relies on the diagnostic's cached schema,
    // which is out of date when pending migrations have been applied since.
    if (method === "evaluateDataLoss") {
      await engine.devDiagnostic({ migrationsList: params.migrationsList, filters: params.filters });
    }
    const result = await engine[name](params);
    if (method === "diff" && typeof result?.stdout === "string") {
      send({ jsonrpc: "2.0", id: `print-${id}`, method: "print", params: { content: result.stdout } });
    }
    return { jsonrpc: "2.0", id, result: result ?? null };
  } catch (error) {
    // An error that came out of the adapter passes through WebAssembly as a number; the registry has the original.
    const original =
      typeof error.id === "number" ? (factory.errorRegistry.consumeError(error.id)?.error ?? error) : error;
    const data = {
      is_panic: false,
      message: original.message ?? String(original),
      meta: null,
      error_code: error.code ?? original.code ?? null,
    };
    return { jsonrpc: "2.0", id, error: { code: ENGINE_ERROR, message: "See the data field.", data } };
  }
}

function send(message, done) {
  process.stdout.write(`${JSON.stringify(message)}\n`, done);
}
