import { randomBytes } from "node:crypto";

/**
 * How a container says whose it is. Labels can't change after creation, so the pool's owner is a label, while the
 * session is in the name: claiming a pooled container is renaming it, which the engine does in one step.
 */
export const INSTALLATION_LABEL = "deckhand.installation";
/** On containers made for a pool: the pool's owner, one process in one life. It stays on when the container is claimed. */
export const POOL_LABEL = "deckhand.pool";

/**
 * Names what a container has on the host: its gateway folder and its disk. On every container that has such, also one in
 * which an image is built: what has no container of any installation is removed.
 */
export const SLOT_LABEL = "deckhand.slot";

/** 128 random bits, in hex. */
export const SLOT = /^[0-9a-f]{32}$/;

/** On containers without a disk of their own: how many bytes they may write, which is watched. */
export const DISK_LABEL = "deckhand.disk";

const INSTALLATION = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;
const SESSION = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

export interface ContainerNames {
  /** A new name for a sandbox of this session; a session may have had others before. */
  forSession(sessionId: string): string;
  forPool(): string;
  /** The session in a name made by `forSession`; null for any other name. */
  sessionOf(name: string): string | null;
  isPooled(name: string): boolean;
}

/** Names of the containers of one installation. @throws Error when an id holds what a container's name can't */
export function containerNames(installationId: string): ContainerNames {
  if (!INSTALLATION.test(installationId)) {
    throw new Error(`Installation id "${installationId}" must be at most 40 letters, digits, "-" and "_".`);
  }
  const sessionPrefix = `deckhand.${installationId}.session.`;
  const poolPrefix = `deckhand.${installationId}.pool.`;

  return {
    forSession(sessionId) {
      if (!SESSION.test(sessionId)) throw new Error(`Session id "${sessionId}" cannot be part of a container's name.`);
      return `${sessionPrefix}${sessionId}.${unique()}`;
    },
    forPool: () => poolPrefix + unique(),
    sessionOf(name) {
      const [sessionId, rest] = name.startsWith(sessionPrefix) ? name.slice(sessionPrefix.length).split(".") : [];
      return sessionId && rest ? sessionId : null;
    },
    isPooled: (name) => name.startsWith(poolPrefix),
  };
}

export function newSlot(): string {
  return randomBytes(16).toString("hex");
}

function unique(): string {
  return randomBytes(6).toString("hex");
}
