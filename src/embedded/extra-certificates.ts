import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { getCACertificates } from "node:tls";
import { isMissing } from "./file-errors.ts";

const ADDED_BY_ADMINISTRATOR = "/usr/local/share/ca-certificates";

/**
 * The certificate authorities this machine trusts beyond the usual ones, as PEM: behind a proxy that intercepts TLS, a
 * build and a sandbox need them too. They come from `NODE_EXTRA_CA_CERTS` and Debian's folder for them. Empty when there are none.
 */
export async function extraCertificates(): Promise<string> {
  const added = (await listAdded()).filter((name) => name.endsWith(".crt"));
  const files = await Promise.all(added.map((name) => readFile(path.join(ADDED_BY_ADMINISTRATOR, name), "utf8")));
  const usual = new Set(getCACertificates("bundled").map(body));
  const all = [...files, ...getCACertificates("extra")].map((pem) => pem.trim()).filter((pem) => !usual.has(body(pem)));
  return all.length === 0 ? "" : `${[...new Set(all)].toSorted().join("\n")}\n`;
}

/** Programs break the lines of the same certificate differently. */
const body = (pem: string) => pem.replaceAll(/\s/g, "");

async function listAdded(): Promise<string[]> {
  try {
    return await readdir(ADDED_BY_ADMINISTRATOR);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
