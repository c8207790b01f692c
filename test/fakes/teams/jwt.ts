import { createHmac, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const RSA_BITS = 2048;
const keys = new Map<string, SigningKey>();
const Claims = z.record(z.string(), z.unknown());

/** The same for the same id, in one process: making one takes long. */
export function signingKey(kid: string): SigningKey {
  const made = keys.get(kid) ?? { kid, ...generateKeyPairSync("rsa", { modulusLength: RSA_BITS }) };
  keys.set(kid, made);
  return made;
}

/** RS256. @param header more of it */
export function signJwt(
  claims: Record<string, unknown>,
  { kid, privateKey }: SigningKey,
  header: Record<string, unknown> = {},
): string {
  const content = contentOf({ alg: "RS256", typ: "JWT", kid, ...header }, claims);
  return `${content}.${sign("sha256", Buffer.from(content), privateKey).toString("base64url")}`;
}

/** With no signature, as nobody may accept it. */
export function unsignedJwt(claims: Record<string, unknown>): string {
  return `${contentOf({ alg: "none", typ: "JWT" }, claims)}.`;
}

/** HS256 with the public key as its secret, the old trick. */
export function confusedJwt(claims: Record<string, unknown>, { kid, publicKey }: SigningKey): string {
  const content = contentOf({ alg: "HS256", typ: "JWT", kid }, claims);
  const secret = publicKey.export({ type: "spki", format: "pem" });
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

/** The claims; null when the signature is not this key's. Expiry is not looked at. */
export function readJwt(token: string, publicKey: KeyObject): Record<string, unknown> | null {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const content = Buffer.from(`${header}.${claims}`);
  if (!verify("sha256", content, publicKey, Buffer.from(signature, "base64url"))) return null;
  return Claims.parse(JSON.parse(Buffer.from(claims, "base64url").toString("utf8")));
}

/** As a JWKS lists it. */
export function jwkOf({ kid, publicKey }: SigningKey): Record<string, unknown> {
  return { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

function contentOf(header: Record<string, unknown>, claims: Record<string, unknown>): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}
