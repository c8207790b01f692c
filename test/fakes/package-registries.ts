import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { zip } from "../../src/cli/zip.ts";

/** Files of a registry, by the URL they are fetched from. */
export type Registry = ReadonlyMap<string, Uint8Array>;

export const APT_SOURCE = "deb [trusted=yes] http://apt.test/ ./";
export const NPM_REGISTRY = "https://npm.test/";
export const PIP_INDEX = "https://pypi.test/simple/";

const MODIFIED_AT = new Date("2026-01-01T00:00:00Z");

export interface DebianPackage {
  name: string;
  files: Record<string, { content: string; mode: number }>;
  /** Shell, run as root when it is installed. */
  postinst?: string;
}

/** A flat repository without a release file, for `APT_SOURCE`. */
export async function aptRegistry(packages: readonly DebianPackage[]): Promise<Registry> {
  const registry = new Map<string, Uint8Array>();
  const stanzas: string[] = [];
  for (const each of packages) {
    const control = `Package: ${each.name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: a fake\n`;
    const deb = ar({
      "debian-binary": Buffer.from("2.0\n"),
      "control.tar.gz": await tgz({
        control: { content: control, mode: 0o644 },
        ...(each.postinst && { postinst: { content: `#!/bin/sh\nset -e\n${each.postinst}\n`, mode: 0o755 } }),
      }),
      "data.tar.gz": await tgz(each.files),
    });
    registry.set(`http://apt.test/./${each.name}.deb`, deb);
    const sha256 = createHash("sha256").update(deb).digest("hex");
    stanzas.push(`${control}Filename: ./${each.name}.deb\nSize: ${deb.length}\nSHA256: ${sha256}\n`);
  }
  return registry.set("http://apt.test/./Packages", Buffer.from(stanzas.join("\n")));
}

/** One package with one command of the same name. Its files belong to somebody else and are nobody's to read, as some are. */
export async function npmRegistry(name: string, script: string): Promise<Registry> {
  const version = "1.0.0";
  const manifest = { name, version, bin: { [name]: "run.js" } };
  const tarball = await tgz({
    "package/package.json": { content: JSON.stringify(manifest), mode: 0o600 },
    "package/run.js": { content: `#!/usr/bin/env node\n${script}\n`, mode: 0o700 },
  });
  const url = `${NPM_REGISTRY}${name}/-/${name}-${version}.tgz`;
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const document = {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, dist: { tarball: url, integrity } } },
  };
  return new Map([
    [`${NPM_REGISTRY}${name}`, Buffer.from(JSON.stringify(document))],
    [url, tarball],
  ]);
}

/** One wheel with one module, which is the package. */
export function pipRegistry(name: string, module: string): Registry {
  const [dist, wheel] = [`${name}-1.0.dist-info`, `${name}-1.0-py3-none-any.whl`];
  const files = {
    [`${name}.py`]: module,
    [`${dist}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
    [`${dist}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: fake\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${dist}/RECORD`]: "",
  };
  const entries = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const page = `<!DOCTYPE html><a href="/files/${wheel}">${wheel}</a>`;
  return new Map([
    [`${PIP_INDEX}${name.replaceAll("_", "-")}/`, Buffer.from(page)],
    [`https://pypi.test/files/${wheel}`, zip(entries)],
  ]);
}

async function tgz(files: Record<string, { content: string; mode: number }>): Promise<Buffer> {
  const archive = pack();
  for (const [name, { content, mode }] of Object.entries(files)) {
    archive.entry({ name, mode, uid: 0, gid: 0, mtime: MODIFIED_AT }, content);
  }
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of Readable.from(archive)) parts.push(Buffer.from(part));
  return gzipSync(Buffer.concat(parts));
}

/** The archive that a .deb is. */
function ar(members: Record<string, Buffer>): Buffer {
  const parts = Object.entries(members).flatMap(([name, content]) => {
    const fields = [name.padEnd(16), "0".padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)];
    const header = `${fields.join("")}${String(content.length).padEnd(10)}\`\n`;
    return [Buffer.from(header), content, Buffer.from(content.length % 2 === 1 ? "\n" : "")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
