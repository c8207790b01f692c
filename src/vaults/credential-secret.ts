import { z } from "zod";
import { Secret } from "../secrets/secret.ts";

const SecretText = z.string().transform((text) => new Secret(text));

/** What of a credential nobody gets to see, by its type. */
export const CredentialSecret = z.discriminatedUnion("type", [
  z.object({ type: z.literal("static_bearer"), token: SecretText }),
  z.object({ type: z.literal("environment_variable"), value: SecretText }),
  z.object({
    type: z.literal("mcp_oauth"),
    access_token: SecretText,
    /** Null when it can't be refreshed. */
    refresh_token: SecretText.nullable(),
    /** Null when the token endpoint wants none. */
    client_secret: SecretText.nullable(),
  }),
]);
export type CredentialSecret = z.infer<typeof CredentialSecret>;

/** The bytes to encrypt. The only place where a whole secret is in clear. */
export function serializeCredentialSecret(secret: CredentialSecret): Buffer {
  const clear = Object.entries(secret).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]);
  return Buffer.from(JSON.stringify(Object.fromEntries(clear)));
}

/** What `serializeCredentialSecret` made. An error about it has nothing of the text. */
export function parseCredentialSecret(bytes: Uint8Array): CredentialSecret {
  const parsed = CredentialSecret.safeParse(jsonOf(bytes));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.map(String).join("."));
  throw new Error(`A stored credential has fields of another kind: ${fields.join(", ")}.`);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // What `JSON.parse` throws quotes the text.
    return null;
  }
}
