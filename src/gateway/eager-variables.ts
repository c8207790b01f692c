import type { SessionCredentials, SessionVariable } from "../vaults/session-credentials.ts";

/** The variables of the vaults that turn out to be the session's. */
export type VariablesOf = (workspaceId: string, vaultIds: readonly string[]) => Promise<SessionVariable[]>;

interface Vaults {
  workspaceId: string;
  vaultIds: readonly string[];
}

const SOCKETS_MAX = 1_000;

/**
 * Asks for a session's variables while it is still being asked which vaults the session has: they are mostly the same as
 * for the request before, and a request then waits for the database once and not twice. Nothing is answered from memory:
 * every question is put after the request has come, and what was asked about other vaults than the session's is dropped.
 */
export function createEagerVariables({ variables }: Pick<SessionCredentials, "variables">) {
  /** Of each socket's session at its last request; the one that asked last is last. */
  const last = new Map<string, Vaults>();

  return (gatewayId: string): VariablesOf => {
    const guess = last.get(gatewayId);
    const guessed = guess && variables(guess.workspaceId, guess.vaultIds);
    // It may be nobody's business any more. Whoever wants it sees the error too.
    guessed?.catch(() => undefined);
    last.delete(gatewayId);

    return async (workspaceId, vaultIds) => {
      if (vaultIds.length === 0) return [];
      last.set(gatewayId, { workspaceId, vaultIds });
      const [oldest] = last.keys();
      if (oldest !== undefined && last.size > SOCKETS_MAX) last.delete(oldest);
      return guessed && isSame(guess, { workspaceId, vaultIds }) ? guessed : variables(workspaceId, vaultIds);
    };
  };
}

const isSame = (one: Vaults, other: Vaults) =>
  one.workspaceId === other.workspaceId &&
  one.vaultIds.length === other.vaultIds.length &&
  one.vaultIds.every((id, index) => id === other.vaultIds[index]);
