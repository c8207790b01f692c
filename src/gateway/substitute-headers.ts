import type { HeaderList } from "./header-list.ts";
import type { VariableSecret } from "./sandbox-policy.ts";

const BASIC = /^(?<scheme>basic +)(?<base64>[A-Za-z0-9+/_-]+={0,2}) *$/i;
/** Each has to be looked for in the answer, which the time of all sandboxes is spent on. No name of a user is that long. */
const BASIC_CHARS_MAX = 1024;
const BASICS_MAX = 2;
/** What no header's value may have: it would end there, and another header begin. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

export interface SubstitutedHeaders {
  headers: HeaderList;
  /** Whose secret was put in. */
  credentialIds: readonly string[];
  /** Base64 with a secret in it. */
  basics: readonly string[];
}

/** A secret that can't stand in a header. The message names the header and nothing of the secret. */
export class UnsendableSecretError extends Error {
  override readonly name = "UnsendableSecretError";
}

/**
 * Puts secrets where their placeholders are: in values, and inside the base64 of the first two `Basic` ones.
 * @param secrets those that may be sent to the host
 * @throws UnsendableSecretError for one with a line break or another control character
 */
export function substituteHeaders(headers: HeaderList, secrets: readonly VariableSecret[]): SubstitutedHeaders {
  const values = new Map(secrets.filter(({ inHeaders }) => inHeaders).map((secret) => [secret.placeholder, secret]));
  if (values.size === 0) return { headers, credentialIds: [], basics: [] };
  const placeholders = anyOf([...values.keys()]);
  const used = new Set<string>();
  const basics: string[] = [];

  // All in one go, so that nothing is put into what was just put in.
  const swap = (text: string) =>
    text.replaceAll(placeholders, (placeholder) => {
      const secret = values.get(placeholder);
      if (!secret) return placeholder;
      used.add(secret.credentialId);
      return Buffer.from(secret.secret.reveal()).toString("latin1");
    });
  const swapValue = (value: string) => {
    const basic = BASIC.exec(value)?.groups;
    if (!basic || value.length > BASIC_CHARS_MAX || basics.length >= BASICS_MAX) return swap(value);
    const decoded = Buffer.from(basic["base64"] ?? "", "base64").toString("latin1");
    const swapped = swap(decoded);
    if (swapped === decoded) return swap(value);
    const base64 = Buffer.from(swapped, "latin1").toString("base64");
    basics.push(base64);
    return `${basic["scheme"]}${base64}`;
  };

  const substituted = headers.map(([name, value]) => {
    const swapped = swapValue(value);
    if (swapped !== value && CONTROL.test(swapped)) {
      throw new UnsendableSecretError(`A secret has a line break, so it can't be sent in the header ${name}.`);
    }
    return [name, swapped] as const;
  });
  return { headers: substituted, credentialIds: [...used], basics };
}

/** Finds one of these texts, of which there is at least one. */
export const anyOf = (texts: readonly string[]): RegExp =>
  new RegExp(texts.map((text) => text.replaceAll(/[^\w]/g, String.raw`\$&`)).join("|"), "g");
