import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Spawned, startProcess } from "../../../bench/spawned.ts";
import { ROOT, type TestHome } from "../../e2e/support/test-home.ts";

const START_TIMEOUT_MS = 150_000;
/** What the machine's own environment must not say to these processes. */
const UNSET = /^(?:DATABASE_URL|REDIS_URL|HOST|DECKHAND_.*|(?:SLACK|TEAMS|MICROSOFT)_.*)$/;
/** All that a process prints, also into a file; the process itself keeps its id. */
const CAPTURED = 'exec "$@" > >(exec tee -a "$CAPTURE_FILE") 2>&1';

export type Role = "api" | "worker" | "gateway" | "bots";

/** Deckhand with each role in a process of its own, and everything that any of them has ever printed. */
export interface Roles {
  /** Of the API. */
  readonly url: string;
  /** SIGKILL. */
  kill(role: Role): Promise<void>;
  start(role: Role): Promise<void>;
  /** By role. */
  printed(): Promise<Map<Role, Buffer>>;
}

export async function startRoles(home: TestHome, settings: Record<string, string>): Promise<Roles> {
  const running = new Map<Role, Spawned>();
  home.teardown.add(() => Promise.all([...running.values()].map((one) => one.kill("SIGTERM"))));
  const captureFile = (role: Role) => path.join(home.dir, `${role}.out`);
  let url = "";

  const spawn = (role: Role): Spawned => {
    const command = ["-c", CAPTURED, "bash", path.join(ROOT, "deckhand"), "up", "--role", role];
    const spawned = startProcess("bash", command, {
      set: { ...home.settings, ...settings, DECKHAND_URL: url, PORT: "0", CAPTURE_FILE: captureFile(role) },
      // oxlint-disable-next-line node/no-process-env -- what a test hides from the product
      unset: Object.keys(process.env).filter((name) => UNSET.test(name)),
    });
    running.set(role, spawned);
    return spawned;
  };
  const start = async (role: Role) => {
    await spawn(role).firstLine(/(Deckhand is up)/, START_TIMEOUT_MS);
  };
  url = await spawn("api").firstLine(/Deckhand is up.*\bURL +(http\S+)/s, START_TIMEOUT_MS);
  // Nobody answers the bots, and they are not waited for: what they print about it is of interest.
  spawn("bots");
  await Promise.all([start("worker"), start("gateway")]);

  return {
    url,
    start,
    async kill(role) {
      await running.get(role)?.kill("SIGKILL");
    },
    async printed() {
      return new Map(
        await Promise.all(
          [...running.keys()].map(async (role): Promise<[Role, Buffer]> => [role, await readFile(captureFile(role))]),
        ),
      );
    },
  };
}
