import type { Installation, InstallationQuery, InstallationStore as BoltInstallationStore } from "@slack/bolt";
import { z } from "zod";
import type { Database } from "../../src/database.ts";
import { TerminalError } from "../../src/errors.ts";

/** Keeps the tokens unreadable in the database. `context` is bound to what is encrypted and must be the same again. */
export interface InstallationCipher {
  encrypt(plaintext: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws when the ciphertext was changed, moved to another context, or made with another key */
  decrypt(ciphertext: Uint8Array, context: string): Promise<Uint8Array>;
}

export interface InstallationSummary {
  /** Enterprise id of an org-wide install, else team id. */
  team: string;
  name: string | null;
}

/** The installations of the app, in Postgres. Also what Bolt's OAuth flow keeps them in. */
export interface InstallationStore extends BoltInstallationStore {
  find(team: string): Promise<Installation | null>;
  /** No effect when it is gone. */
  remove(team: string): Promise<void>;
  list(): Promise<InstallationSummary[]>;
  /** Runs `work` while no other process runs any for this team. Must end within `LOCK_TIMEOUT_MS`. */
  locked<Result>(team: string, work: () => Promise<Result>): Promise<Result>;
}

export const LOCK_TIMEOUT_MS = 25_000;
const LOCK_WAIT_MS = 10_000;

const Team = z.looseObject({ id: z.string(), name: z.string().optional() });
/** What Bolt needs of an installation of today's kind; the rest is kept as it came. */
const StoredInstallation = z.looseObject({
  team: Team.optional(),
  enterprise: Team.optional(),
  user: z.looseObject({ id: z.string(), token: z.string().optional(), scopes: z.array(z.string()).optional() }),
  bot: z
    .looseObject({
      id: z.string(),
      userId: z.string(),
      token: z.string(),
      scopes: z.array(z.string()),
      refreshToken: z.string().optional(),
      expiresAt: z.number().optional(),
    })
    .optional(),
  isEnterpriseInstall: z.boolean().optional(),
  authVersion: z.literal("v2"),
});

export function createInstallationStore(
  { prisma }: Pick<Database, "prisma">,
  cipher: InstallationCipher,
): InstallationStore {
  const find = async (team: string): Promise<Installation | null> => {
    const row = await prisma.slackInstallation.findUnique({ where: { id: team } });
    return row ? parseInstallation(await cipher.decrypt(row.ciphertext, contextOf(team))) : null;
  };

  return {
    find,

    async storeInstallation(installation) {
      const id = teamOf(installation);
      const ciphertext = await cipher.encrypt(Buffer.from(JSON.stringify(installation)), contextOf(id));
      const enterprise = installation.isEnterpriseInstall === true;
      const name = (enterprise ? installation.enterprise?.name : installation.team?.name) ?? null;
      await prisma.slackInstallation.upsert({
        where: { id },
        create: { id, enterprise, name, ciphertext },
        update: { enterprise, name, ciphertext, updatedAt: new Date() },
      });
    },

    async fetchInstallation(query) {
      const team = teamOfQuery(query);
      const found = await find(team);
      if (!found) throw new TerminalError(`The Slack app is not installed in ${team}.`);
      return found;
    },

    deleteInstallation: (query) => remove(teamOfQuery(query)),
    remove,

    async list() {
      const rows = await prisma.slackInstallation.findMany({
        select: { id: true, name: true },
        orderBy: { installedAt: "asc" },
      });
      return rows.map(({ id, name }) => ({ team: id, name }));
    },

    locked: (team, work) =>
      prisma.$transaction(
        async (transaction) => {
          await transaction.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${contextOf(team)}, 0))::text`;
          return await work();
        },
        { timeout: LOCK_TIMEOUT_MS, maxWait: LOCK_WAIT_MS },
      ),
  };

  async function remove(team: string): Promise<void> {
    await prisma.slackInstallation.deleteMany({ where: { id: team } });
  }
}

function contextOf(team: string): string {
  return `slack_installations/${team}/ciphertext`;
}

/** Pure: the id that an installation goes by. @throws TerminalError when Slack gave none */
export function teamOf(installation: Pick<Installation, "isEnterpriseInstall" | "enterprise" | "team">): string {
  const team = installation.isEnterpriseInstall === true ? installation.enterprise?.id : installation.team?.id;
  if (team === undefined) throw new TerminalError("Slack named no workspace for this installation.");
  return team;
}

function teamOfQuery({ isEnterpriseInstall, enterpriseId, teamId }: InstallationQuery<boolean>): string {
  const team = isEnterpriseInstall ? enterpriseId : teamId;
  if (team === undefined) throw new TerminalError("An installation was asked for without naming a workspace.");
  return team;
}

/** The one place where what was decrypted becomes Bolt's type. */
function parseInstallation(json: Uint8Array): Installation {
  return StoredInstallation.parse(JSON.parse(Buffer.from(json).toString())) as Installation;
}
