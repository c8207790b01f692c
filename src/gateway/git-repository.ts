import type { RepositorySecret } from "./sandbox-policy.ts";

/** What git's smart HTTP protocol and its LFS extension ask of a repository's URL. */
const ENDPOINT = /^(?:\.git)?\/(?:info\/refs|git-upload-pack|git-receive-pack|info\/lfs\/.+)$/;
/** Spellings that a server may read as another path than it looks: escapes, empty and dotted segments. */
const AMBIGUOUS = /[%\\;]|\/\/|\/\.{1,2}(?:\/|$)/;

/**
 * The repository whose git endpoint a request is for. One that could be read as another path is for none.
 * @param path with or without its query
 */
export function repositoryAt(
  repositories: readonly RepositorySecret[],
  { host, port, path }: { host: string; port: number; path: string },
): RepositorySecret | null {
  const pathname = path.replace(/[?#].*$/s, "");
  if (AMBIGUOUS.test(pathname)) return null;
  const here = repositories.filter((one) => one.port === port && one.host.toLowerCase() === host.toLowerCase());
  return here.find((one) => pathname.startsWith(one.path) && ENDPOINT.test(pathname.slice(one.path.length))) ?? null;
}

/** What a server of repositories takes a token as: the password of a user whose name does not count. */
export const repositoryAuthorization = (token: string): string =>
  `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
