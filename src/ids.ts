import { randomBytes } from "node:crypto";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const TIME_CHARS = 9;
const RANDOM_CHARS = 13;

/** The wire prefixes, as the Managed Agents API has them, and our own (`cthr`, `sbx`) for what that API does not name. */
export type IdPrefix =
  | "agent"
  | "apikey"
  | "cthr"
  | "env"
  | "file"
  | "req"
  | "sbx"
  | "sesn"
  | "sesrsc"
  | "sevt"
  | "sthr"
  | "vcrd"
  | "vlt"
  | "wrkspc";

/**
 * A new id such as `sesn_01…`: base58, 22 characters after the version mark, of which the first nine are the time in
 * milliseconds, so that rows made one after another stay close in an index. 76 random bits follow.
 */
export function newId(prefix: IdPrefix): string {
  let time = Date.now();
  let head = "";
  for (let i = 0; i < TIME_CHARS; i++) {
    head = ALPHABET[time % 58] + head;
    time = Math.floor(time / 58);
  }
  let tail = "";
  for (const byte of randomBytes(RANDOM_CHARS)) tail += ALPHABET[byte % 58];
  return `${prefix}_01${head}${tail}`;
}
