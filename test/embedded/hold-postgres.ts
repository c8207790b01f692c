/** Started as a process of its own: holds a server on `argv[2]` until it is killed, or stops it on a line of input. */
import { once } from "node:events";
import { pino } from "pino";
import { startPostgres } from "../../src/embedded/postgres.ts";

const log = pino({ level: "silent" });
const postgres = await startPostgres({ dir: process.argv[2] ?? "", log, signal: AbortSignal.timeout(60_000) });
process.stdout.write(`${JSON.stringify({ url: postgres.url, pid: postgres.pid })}\n`);
await once(process.stdin, "data");
await postgres.stop();
process.exit(0);
