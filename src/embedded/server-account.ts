import { execFile, type SpawnOptions } from "node:child_process";
import { promisify } from "node:util";
import { errorCode } from "./file-errors.ts";
import { startLogged } from "./logged-process.ts";

const run = promisify(execFile);

/** Accounts that exist on most systems, in order of preference. Postgres refuses uids without a name. */
const ACCOUNTS = ["postgres", "nobody"];
/**
 * For files below a directory that is closed to other accounts, such as root's home: keep the one capability that
 * passes closed directories. Containers usually lack the first and have the second.
 */
const CAPABILITIES = ["dac_read_search", "dac_override"];

interface Invocation {
  file: string;
  args: string[];
  options: Pick<SpawnOptions, "uid" | "gid">;
}

/** The account that Postgres runs as, and how to start a program under it. */
export interface ServerAccount {
  uid: number;
  gid: number;
  invoke(program: string, args: string[]): Invocation;
}

export interface AccountNeeds {
  /** The owner of data that exists already, which must stay the same. */
  dataOwnerUid: number | null;
  /** Called with a candidate before it is tried: makes the server's files its own. */
  prepare(account: ServerAccount): Promise<void>;
  /** Whether the server would work under this account. */
  works(account: ServerAccount): Promise<boolean>;
}

/** Our own account, unless that is root's, which Postgres refuses: then an unprivileged one that can reach the files. */
export async function chooseServerAccount(needs: AccountNeeds): Promise<ServerAccount> {
  const own = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  if (own.uid !== 0) {
    if (needs.dataOwnerUid !== null && needs.dataOwnerUid !== own.uid) {
      throw new Error(
        `The database files belong to uid ${needs.dataOwnerUid}. Run as that user, or set DECKHAND_HOME.`,
      );
    }
    return { ...own, invoke: (file, args) => ({ file, args, options: {} }) };
  }
  for (const ids of await unprivilegedIds(needs.dataOwnerUid)) {
    for (const account of [plain(ids), ...CAPABILITIES.map((capability) => withCapability(ids, capability))]) {
      await needs.prepare(account);
      if (await needs.works(account)) return account;
    }
  }
  throw new Error(
    "Postgres does not run as root, and no other account can reach its files. " +
      "Move the checkout and DECKHAND_HOME out of root's home directory, or set DATABASE_URL to use your own server.",
  );
}

/** Runs a program to its end and returns its exit code, or -1 when it can't be started or was killed. */
export async function runAs(account: ServerAccount, program: string, args: string[], logFile: string): Promise<number> {
  const { file, args: argv, options } = account.invoke(program, args);
  try {
    const { exited } = await startLogged(file, argv, logFile, { ...options, cwd: "/" });
    return await exited;
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM"].includes(errorCode(error) ?? "")) return -1;
    throw error;
  }
}

type Ids = Pick<ServerAccount, "uid" | "gid">;

async function unprivilegedIds(dataOwnerUid: number | null): Promise<Ids[]> {
  const names = dataOwnerUid === null ? ACCOUNTS : [String(dataOwnerUid)];
  const found = await Promise.allSettled(names.map(idsOf));
  return found.flatMap((result) => (result.status === "fulfilled" && result.value.uid !== 0 ? [result.value] : []));
}

async function idsOf(name: string): Promise<Ids> {
  const [user, group] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
  return { uid: Number(user.stdout), gid: Number(group.stdout) };
}

function plain(ids: Ids): ServerAccount {
  return { ...ids, invoke: (file, args) => ({ file, args, options: ids }) };
}

function withCapability(ids: Ids, capability: string): ServerAccount {
  const identity = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--clear-groups"];
  // Without the last one access(2) ignores the capability, and initdb asks that way whether it can run `postgres`. What is
  // executed holds the one capability all the same: an account that is not root's gets the ambient ones and no more.
  const kept = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, "--securebits=+no_setuid_fixup"];
  return {
    ...ids,
    invoke: (program, args) => ({ file: "setpriv", args: [...identity, ...kept, program, ...args], options: {} }),
  };
}
