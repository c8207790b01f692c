import { createHash, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { bitString, integer, octetString, oid, sequence, setOf, tagged, time, utf8, yes } from "./der.ts";

const SERIAL_BYTES = 16;
/** Clocks that are a little behind take a new certificate too. */
const BACKDATED_MS = 3_600_000;
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const COMMON_NAME = oid("2.5.4.3");
const SERVER_AUTH = oid("1.3.6.1.5.5.7.3.1");
const VERSION_3 = tagged(0xa0, integer(Buffer.of(2)));

const EXTENSIONS = {
  subjectKeyIdentifier: oid("2.5.29.14"),
  keyUsage: oid("2.5.29.15"),
  subjectAltName: oid("2.5.29.17"),
  basicConstraints: oid("2.5.29.19"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  extendedKeyUsage: oid("2.5.29.37"),
};
/** Bits from the highest: certificates and lists of revoked ones; signatures. */
const SIGNS_CERTIFICATES = bitString(Buffer.of(0b0000_0110), 1);
const SIGNS_HANDSHAKES = bitString(Buffer.of(0b1000_0000), 7);

/** Keys are on the curve P-256. */
export interface KeyPair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** Who signs: the name in its certificate, and its keys. */
export interface Issuer extends KeyPair {
  commonName: string;
}

/** The certificate of an authority that may sign those of servers and no other authority. @returns PEM */
export function authorityCertificate(issuer: Issuer, lifetimeMs: number): string {
  return signed(issuer, {
    subject: issuer.commonName,
    publicKey: issuer.publicKey,
    lifetimeMs,
    extensions: [
      critical(EXTENSIONS.basicConstraints, sequence(yes(), integer(Buffer.of(0)))),
      critical(EXTENSIONS.keyUsage, SIGNS_CERTIFICATES),
      extension(EXTENSIONS.subjectKeyIdentifier, octetString(keyIdentifier(issuer.publicKey))),
    ],
  });
}

/**
 * The certificate of a server.
 * @param host a name, or an address as `ipaddr.js` reads it
 * @returns PEM
 */
export function serverCertificate(issuer: Issuer, host: string, publicKey: KeyObject, lifetimeMs: number): string {
  return signed(issuer, {
    // Who verifies looks at the alternative name. This one has a limit of 64 characters.
    subject: "Deckhand gateway",
    publicKey,
    lifetimeMs,
    extensions: [
      critical(EXTENSIONS.basicConstraints, sequence()),
      critical(EXTENSIONS.keyUsage, SIGNS_HANDSHAKES),
      extension(EXTENSIONS.extendedKeyUsage, sequence(SERVER_AUTH)),
      extension(EXTENSIONS.subjectAltName, sequence(alternativeName(host))),
      extension(EXTENSIONS.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
      extension(EXTENSIONS.authorityKeyIdentifier, sequence(tagged(0x80, keyIdentifier(issuer.publicKey)))),
    ],
  });
}

interface Content {
  subject: string;
  publicKey: KeyObject;
  lifetimeMs: number;
  extensions: Buffer[];
}

function signed(issuer: Issuer, { subject, publicKey, lifetimeMs, extensions }: Content): string {
  const now = Date.now();
  const content = sequence(
    VERSION_3,
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    nameOf(issuer.commonName),
    sequence(time(new Date(now - BACKDATED_MS)), time(new Date(now + lifetimeMs))),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", content, issuer.privateKey);
  return new X509Certificate(sequence(content, ECDSA_WITH_SHA256, bitString(signature))).toString();
}

/** Positive, and never zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

const nameOf = (commonName: string) => sequence(setOf(sequence(COMMON_NAME, utf8(commonName))));
const extension = (id: Buffer, value: Buffer) => sequence(id, octetString(value));
const critical = (id: Buffer, value: Buffer) => sequence(id, yes(), octetString(value));

/** Of the key it is for: whoever signs a certificate is found by the identifier of its own key. */
const keyIdentifier = (key: KeyObject) =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);

function alternativeName(host: string): Buffer {
  if (isIP(host) === 0) return tagged(0x82, Buffer.from(host, "latin1"));
  return tagged(0x87, Buffer.from(ipaddr.parse(host).toByteArray()));
}
