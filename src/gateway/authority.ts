import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { TerminalError } from "../errors.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import type { AuthorityStore, StoredAuthority } from "./authority-store.ts";
import { authorityCertificate, type Issuer, type KeyPair, serverCertificate } from "./certificate.ts";

const COMMON_NAME = "Deckhand gateway authority";
const CIPHER_CONTEXT = "gateway_authority/1/private_key";
const DAY_MS = 86_400_000;
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
const LEAF_LIFETIME_MS = 7 * DAY_MS;
/** A connection that was made with it may last. */
const RENEWED_BEFORE_END_MS = DAY_MS;
const LEAVES_MAX = 512;

/** Signs certificates that only this installation's sandboxes trust. */
export interface Authority {
  readonly certificatePem: string;
  /** What a server for this host speaks TLS with. `host` is a name, or an address without brackets. */
  contextFor(host: string): SecureContext;
}

/**
 * Generated the first time, and the same for every process of the installation from then on.
 * @throws SecretUnreadableError when it was stored with another master key
 */
export async function openAuthority(
  store: AuthorityStore,
  cipher: Pick<SecretCipher, "encrypt" | "decrypt">,
): Promise<Authority> {
  const stored = (await store.find()) ?? (await generate(store, cipher));
  const privateKey = createPrivateKey(Buffer.from(await cipher.decrypt(stored.privateKey, CIPHER_CONTEXT)).toString());
  if (!new X509Certificate(stored.certificate).checkPrivateKey(privateKey)) {
    throw new TerminalError("The gateway's certificate in the database and its private key do not belong together.");
  }
  return createAuthority(stored.certificate, {
    commonName: COMMON_NAME,
    privateKey,
    publicKey: createPublicKey(privateKey),
  });
}

async function generate(store: AuthorityStore, cipher: Pick<SecretCipher, "encrypt">): Promise<StoredAuthority> {
  const keys = newKeys();
  const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" });
  await store.insert({
    certificate: authorityCertificate({ commonName: COMMON_NAME, ...keys }, AUTHORITY_LIFETIME_MS),
    privateKey: await cipher.encrypt(Buffer.from(pem), CIPHER_CONTEXT),
  });
  const stored = await store.find();
  if (!stored) throw new TerminalError("The gateway's authority is not in the database after it was put in.");
  return stored;
}

function createAuthority(certificatePem: string, issuer: Issuer): Authority {
  // One key for all hosts: who has this process's memory has them all anyway.
  const leafKeys = newKeys();
  const key = leafKeys.privateKey.export({ type: "pkcs8", format: "pem" });
  // Without tickets each connection makes a handshake of its own, in which it names its host.
  const leaves = new Map<string, { context: SecureContext; renewAt: number }>();

  return {
    certificatePem,
    contextFor(host) {
      const known = leaves.get(host);
      // What was used last is last in the map.
      leaves.delete(host);
      const now = Date.now();
      const leaf =
        known && known.renewAt > now
          ? known
          : {
              context: createSecureContext({
                key,
                secureOptions: constants.SSL_OP_NO_TICKET,
                cert: serverCertificate(issuer, host, leafKeys.publicKey, LEAF_LIFETIME_MS),
              }),
              renewAt: now + LEAF_LIFETIME_MS - RENEWED_BEFORE_END_MS,
            };
      leaves.set(host, leaf);
      if (leaves.size > LEAVES_MAX) for (const oldest of [...leaves.keys()].slice(0, 1)) leaves.delete(oldest);
      return leaf.context;
    },
  };
}

const newKeys = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-256" });
