import { once } from "node:events";
import { parseArgs } from "node:util";
import { loadConfig } from "../../config.ts";
import { createLog } from "../../log.ts";
import { type Deckhand, type Role, ROLES, startDeckhand } from "../../main.ts";
import { type Command, UsageError } from "../command.ts";
import { createProgress } from "../progress.ts";

export const command: Command = {
  summary: "Start Deckhand and keep it running",
  usage: `Usage: deckhand up [--role ROLE]...

Starts the API, a worker, the gateway and the bots in one process, or only the given roles. What the environment does not
name (DATABASE_URL, REDIS_URL, a Docker engine) is started or left out. Ends on Ctrl-C or SIGTERM; sessions that run go
on when it is started again.

Options:
  --role ROLE   ${ROLES.join(", ")}; may be repeated. All of them by default.`,

  async run(args, io) {
    const roles = rolesOf(parseArgs({ args, options: { role: { type: "string", multiple: true } } }).values.role);
    const config = loadConfig(io.root);
    const log = createLog(config.logLevel);
    const progress = createProgress(io.stderr);
    const deckhand = await startDeckhand({ config, roles, log, progress, signal: io.signal });
    if (roles.includes("api")) {
      // A key that was given is not repeated: this may go to a log.
      const key = config.apiKey ? "the one in DECKHAND_API_KEY" : deckhand.apiKey;
      io.stdout.write(`Deckhand is up.\n\n  URL      ${deckhand.url}\n  API key  ${key}\n`);
      io.stdout.write(`  Docs     ${deckhand.url}/docs\n`);
      io.stdout.write(`${chatLines(deckhand)}\n`);
    } else {
      io.stdout.write(`Deckhand is up: ${roles.join(", ")}.\n`);
      io.stdout.write(chatLines(deckhand));
    }
    if (!io.signal.aborted) await once(io.signal, "abort");
    io.stderr.write("Stopping.\n");
    await deckhand.stop();
    return 0;
  },
};

function chatLines({ slack, teams }: Pick<Deckhand, "slack" | "teams">): string {
  return [slack === null ? "" : `  Slack    ${slack}\n`, teams === null ? "" : `  Teams    ${teams}\n`].join("");
}

function rolesOf(given: string[] | undefined): readonly Role[] {
  if (!given) return ROLES;
  return given.map((name) => {
    const role = ROLES.find((known) => known === name);
    if (!role) throw new UsageError(`Unknown role "${name}". The roles are: ${ROLES.join(", ")}.`);
    return role;
  });
}
