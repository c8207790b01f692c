import { invalid } from "../errors.ts";

const UPLOADS = "/mnt/session/uploads";
const WORKSPACE = "/workspace";
const CLONE_ROOTS = [WORKSPACE, "/home/agent", "/tmp"];
/** Where the harness puts output that is too long for the model. */
const TOOL_RESULTS = "/workspace/.tool-results";
/** Sandboxes show the same folder under this short name, so a path that starts with it means the folder itself. */
const ALIAS = "/uploads/";
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Where a file is mounted: whatever is given counts from `/mnt/session/uploads`, and without it the file's id is its
 * name there. Pure.
 * @throws AppError `invalid_request` naming `field` for a path that would leave that folder or is no file's
 */
export function resolveMountPath(given: string | null | undefined, fileId: string, field: string): string {
  if (given === null || given === undefined) return `${UPLOADS}/${fileId}`;
  if (CONTROL.test(given)) throw invalid(`${field}: must not hold control characters`);
  const segments = relative(given).split("/").filter(Boolean);
  if (segments.length === 0 || given.endsWith("/")) throw invalid(`${field}: must name a file, not a folder`);
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw invalid(`${field}: must not hold \`.\` or \`..\``);
  }
  return [UPLOADS, ...segments].join("/");
}

/**
 * Where a repository is cloned to: below `/workspace`, from which a relative path counts, or the home folder or `/tmp`, which
 * the tools' user may write to as well. Pure.
 * @param name of the repository, which is its folder in `/workspace` when no path is given
 * @throws AppError `invalid_request` naming `field`
 */
export function resolveClonePath(given: string | null | undefined, name: string, field: string): string {
  const wanted = given ?? name;
  if (CONTROL.test(wanted)) throw invalid(`${field}: must not hold control characters`);
  const absolute = wanted.startsWith("/") ? wanted : `${WORKSPACE}/${wanted}`;
  const segments = absolute.split("/").filter(Boolean);
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw invalid(`${field}: must not hold \`.\` or \`..\``);
  }
  const path = `/${segments.join("/")}`;
  if (!CLONE_ROOTS.some((root) => path.startsWith(`${root}/`))) {
    throw invalid(`${field}: must be a folder below ${CLONE_ROOTS.map((root) => `\`${root}\``).join(", ")}`);
  }
  if (segments.some((segment) => segment === ".git") || path.startsWith(TOOL_RESULTS)) {
    throw invalid(`${field}: \`${path}\` is used for something else`);
  }
  return path;
}

/** @throws AppError `invalid_request` when `path` is taken, or lies below another, or another lies below it */
export function assertMountable(path: string, taken: Iterable<string>, field: string): void {
  for (const other of taken) {
    if (path === other) throw invalid(`${field}: \`${path}\` is mounted already`);
    if (path.startsWith(`${other}/`) || other.startsWith(`${path}/`)) {
      throw invalid(`${field}: \`${path}\` and \`${other}\` can't both be mounted: one lies in the other`);
    }
  }
}

function relative(given: string): string {
  for (const root of [`${UPLOADS}/`, ALIAS]) if (given.startsWith(root)) return given.slice(root.length);
  return given;
}
