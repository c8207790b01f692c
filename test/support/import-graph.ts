import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Source text by path, relative to the checkout and with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

export interface Import {
  from: string;
  /** A path in the tree, or the specifier of a package or Node module. */
  to: string;
  kind: "value" | "type" | "lazy";
}

const STATEMENT = /^(?:import|export)\s+(type\s+(?!from\b))?(?:([^"';=()]*?)\bfrom\s*)?["']([^"']+)["']/gm;
const LAZY = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** The imports that the tree's files state, in order. Comments and strings that look like one are not told apart. */
export function importsOf(tree: Tree): Import[] {
  return [...tree].flatMap(([from, source]) => [
    ...source.matchAll(STATEMENT).map(([, type, names = "", specifier = ""]) => {
      const kind = type !== undefined || onlyTypes(names) ? ("type" as const) : ("value" as const);
      return { from, to: resolve(from, specifier), kind };
    }),
    ...source
      .matchAll(LAZY)
      .map(([, specifier = ""]) => ({ from, to: resolve(from, specifier), kind: "lazy" as const })),
  ]);
}

/** Cycles of imports that run when a module loads, each as the files on it; at most one for each file. */
export function cyclesOf(imports: readonly Import[]): string[][] {
  const next = Map.groupBy(
    imports.filter(({ kind }) => kind === "value"),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (file: string, trail: string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) cycles.push([...trail.slice(start), file]);
    if (start !== -1 || done.has(file)) return;
    for (const { to } of next.get(file) ?? []) walk(to, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return cycles;
}

/** The TypeScript files under the given folders of the checkout, without generated ones. */
export function readTree(root: string, folders: readonly string[]): Tree {
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      path.posix.join(folder, name),
    ),
  );
  const sources = files.filter((file) => file.endsWith(".ts") && !file.startsWith("src/generated/"));
  return new Map(sources.toSorted().map((file) => [file, readFileSync(path.join(root, file), "utf8")]));
}

function onlyTypes(names: string): boolean {
  const braces = /^\{([^}]*)\}\s*$/.exec(names)?.[1];
  if (braces === undefined) return false;
  return braces.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "));
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? path.posix.join(path.posix.dirname(from), specifier) : specifier;
}
