import { UnreachableError } from "./destination.ts";
import { repositoryAuthorization } from "./git-repository.ts";
import type { HostSecrets } from "./host-secrets.ts";
import type { SentSecrets } from "./scrub.ts";

/**
 * Of requests to a host with secrets. Answers must not be encoded, for they are looked through; nor partial, for a secret
 * could be fetched in parts that are none.
 */
export const HIDING_HEADERS = ["accept-encoding", "range", "request-range", "if-range"] as const;

/** Looking for much more takes seconds to prepare and gigabytes to hold, of which all sandboxes have a part. */
export const SECRETS_CHARS_MAX = 32_768;

/**
 * What has to be found in whatever a host with these secrets answers.
 * @throws UnreachableError when that is more than can be looked for
 */
export function soughtSecrets({ variables, repositories }: HostSecrets, host: string): SentSecrets {
  const tokens = repositories.flatMap(({ token }) => token?.reveal() ?? []);
  const values = [...new Set([...variables.map(({ secret }) => secret.reveal()), ...tokens])];
  if (values.reduce((sum, { length }) => sum + length, 0) > SECRETS_CHARS_MAX) {
    const most = `${SECRETS_CHARS_MAX} characters together`;
    throw new UnreachableError(`The session has too many credentials for ${host}: at most ${most}.`);
  }
  return {
    values,
    authorizations: tokens.map((text) => repositoryAuthorization(text).slice("Basic ".length)),
    basics: [],
  };
}
