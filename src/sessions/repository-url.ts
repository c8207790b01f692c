import { invalid } from "../errors.ts";

/** As in names of owners and repositories at GitHub, GitLab, Gitea and the like. */
const SEGMENT = /^[\w.~-]{1,255}$/;
const PRINTABLE = /^[\x21-\x7e]+$/;
const HTTPS_PORT = 443;

/** Where a repository is, as the gateway compares it. */
export interface RepositoryPlace {
  /** In lower case; without brackets, and without a dot at the end. */
  host: string;
  port: number;
  /** `/owner/name`, without `.git` and without a slash at the end. */
  path: string;
  /** The last part of the path. */
  name: string;
}

/**
 * Reads `https://host[:port]/owner/name[.git]`; elsewhere than at GitHub there may be groups within groups. Pure.
 * @throws AppError `invalid_request` naming `field`, without anything of a credential that was in the URL
 */
export function parseRepositoryUrl(given: string, field: string): RepositoryPlace {
  if (!/^https:\/\//i.test(given)) throw invalid(`${field}: must begin with \`https://\``);
  if (given.includes("@")) {
    throw invalid(`${field}: must not hold credentials; give the token as \`authorization_token\``);
  }
  const url = PRINTABLE.test(given) ? URL.parse(given) : null;
  if (!url) throw invalid(`${field}: is no URL`);
  if (url.search || url.hash) throw invalid(`${field}: must end with the repository's name`);
  const segments = segmentsOf(given, url).map((segment, index, all) =>
    index === all.length - 1 ? segment.replace(/\.git$/, "") : segment,
  );
  const atGitHub = url.hostname === "github.com";
  const enough = atGitHub ? segments.length === 2 : segments.length >= 2;
  if (!enough || !segments.every((segment) => SEGMENT.test(segment) && !/^\.+$/.test(segment))) {
    throw invalid(`${field}: must name a repository, such as \`https://github.com/owner/name\``);
  }
  return {
    host: url.hostname.replace(/^\[|[\].]$/g, ""),
    port: url.port === "" ? HTTPS_PORT : Number(url.port),
    path: `/${segments.join("/")}`,
    name: segments.at(-1) ?? "",
  };
}

/** What was written, and not what a parser makes of it: one that drops `..` would hide that it stood there. */
function segmentsOf(given: string, url: URL): string[] {
  const written = given.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/\/$/, "");
  return written === url.pathname.replace(/\/$/, "") ? written.slice(1).split("/") : [];
}
