import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const pages = ["", "docs", "docs/decisions"].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => path.join(folder, name)),
);

describe("the documentation", () => {
  it("has links that lead somewhere", () => {
    const links = pages.flatMap((page) => linksIn(read(page)).map((target) => ({ page, target })));
    const dead = links.filter(({ page, target }) => !existsSync(path.join(ROOT, path.dirname(page), target)));
    expect(dead).toEqual([]);
    expect(links.length).toBeGreaterThan(10);
  });

  it("names commands that exist", () => {
    const commands = new Set(
      [...read("src/cli/main.ts").matchAll(/^ {2}([a-z]+): \(\) => import\(/gm)].map(([, name]) => name),
    );
    const named = pages.flatMap((page) => [...read(page).matchAll(/\.\/deckhand ([a-z]+)/g)].map(([, name]) => name));
    expect(named.filter((name) => !commands.has(name))).toEqual([]);
    expect(new Set(named)).toEqual(commands);
  });

  it("lists every setting with its default, and no other", () => {
    expect(documentedSettings()).toEqual(settings());
    expect(settings().size).toBeGreaterThan(10);
  });

  it("has an example for compose with every variable that compose takes, and no other", () => {
    const taken = [...read("docker-compose.yml").matchAll(/\$\{([A-Z_]+):/g)].map(([, name]) => name);
    const given = [...read(".env.example").matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(new Set(given)).toEqual(new Set(taken));
  });
});

/** Targets of links and images that point into the checkout. */
function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

/** Variables of the configuration, each with its default where that is a fixed value. */
function settings(): Map<string, string | null> {
  const found = [
    ...read("src/config.ts").matchAll(/^ +([A-Z][A-Z0-9_]*): (?:withDefault\(.*, "(.*)"\)|optional\()/gm),
    ...read("src/isolation-config.ts").matchAll(
      /^ +([A-Z][A-Z0-9_]*): (?:(?:count|number)\(([\d_]+)|list\(|z\.preprocess\()/gm,
    ),
  ];
  return new Map(found.map(([, name = "", value]) => [name, value?.replaceAll("_", "") ?? null]));
}

/** The README's table. A default in words stands for one that is worked out. */
function documentedSettings(): Map<string, string | null> {
  const fixed = settings();
  const rows = read("README.md").matchAll(/^\| `([A-Z][A-Z0-9_]*)` +\| (?:`([^`]*)`|[^|]*?) +\|/gm);
  return new Map([...rows].map(([, name = "", value]) => [name, fixed.get(name) === null ? null : (value ?? null)]));
}
