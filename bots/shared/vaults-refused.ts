import { TerminalError } from "../../src/errors.ts";
import { apiErrorText } from "./api-errors.ts";

/**
 * Pure: what to throw when a session can't be made because of the vaults that its place is set to give it, which is the
 * operator's to mend. Null for any other error.
 */
export function vaultsRefused(error: unknown): TerminalError | null {
  const [, reason] = /^vault_ids[^:]*: (.*)$/s.exec(apiErrorText(error) ?? "") ?? [];
  if (reason === undefined) return null;
  return new TerminalError(
    `this place is set to give me credentials that can't be used. ${reason} Please tell whoever looks after me: ` +
      "`./deckhand channels set … --vaults …` names others.",
    { cause: error },
  );
}
