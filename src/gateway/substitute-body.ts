import type { VariableSecret } from "./sandbox-policy.ts";
import { anyOf } from "./substitute-headers.ts";

export interface BodySubstitution {
  /** Keeps back only what a placeholder may have begun with. */
  push(chunk: Buffer): Buffer;
  /** What is left at the end. */
  end(): Buffer;
  /** Whose secret was put in so far. */
  credentialIds(): readonly string[];
}

/**
 * Puts secrets where their placeholders are in a body, escaped as the body's type wants it: in JSON and in forms a secret
 * stands where the client would have escaped it.
 * @param secrets those that may be sent to the host, at least one of them in bodies
 */
export function createBodySubstitution(
  secrets: readonly VariableSecret[],
  contentType: string | undefined,
): BodySubstitution {
  const escape = escapeFor(contentType ?? "");
  const swaps = new Map(
    secrets
      .filter(({ inBody }) => inBody)
      .map(({ placeholder, secret, credentialId }) => [
        placeholder,
        { value: Buffer.from(escape(secret.reveal())), credentialId },
      ]),
  );
  const placeholders = anyOf([...swaps.keys()]);
  const beginnings = [...swaps.keys()].map((placeholder) => Buffer.from(placeholder));
  const used = new Set<string>();
  let held = Buffer.alloc(0);

  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const parts: Buffer[] = [];
      let from = 0;
      for (const { 0: placeholder, index } of bytes.toString("latin1").matchAll(placeholders)) {
        const swap = swaps.get(placeholder);
        if (!swap) continue;
        parts.push(bytes.subarray(from, index), swap.value);
        used.add(swap.credentialId);
        from = index + placeholder.length;
      }
      const open = openFrom(beginnings, bytes, from);
      held = Buffer.from(bytes.subarray(open));
      const rest = bytes.subarray(from, open);
      return parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
    },

    end() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },

    credentialIds: () => [...used],
  };
}

function escapeFor(contentType: string): (secret: string) => string {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/x-www-form-urlencoded") return encodeURIComponent;
  if (type === "application/json" || type.endsWith("+json")) return (secret) => JSON.stringify(secret).slice(1, -1);
  return (secret) => secret;
}

/** Where the longest beginning of a placeholder starts that the bytes end with; their end when there is none. */
function openFrom(placeholders: readonly Buffer[], bytes: Buffer, from: number): number {
  const longest = Math.max(0, ...placeholders.map(({ length }) => length - 1));
  for (let at = Math.max(from, bytes.length - longest); at < bytes.length; at += 1) {
    const end = bytes.subarray(at);
    if (placeholders.some((placeholder) => placeholder.subarray(0, end.length).equals(end))) return at;
  }
  return bytes.length;
}
