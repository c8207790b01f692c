import { generateKeyPairSync } from "node:crypto";
import { authorityCertificate, type KeyPair, serverCertificate } from "../../src/gateway/certificate.ts";

const DAY_MS = 86_400_000;

/** Signs the certificates of servers that stand for the internet. Nobody trusts it who is not told to. */
export interface TestAuthority {
  certificatePem: string;
  /** For `https.createServer` and the like. */
  serverOptions(host: string): { key: string; cert: string };
}

export function createTestAuthority(): TestAuthority {
  const issuer = { commonName: "Test authority", ...newKeys() };
  return {
    certificatePem: authorityCertificate(issuer, DAY_MS),
    serverOptions(host) {
      const { publicKey, privateKey } = newKeys();
      return {
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        cert: serverCertificate(issuer, host, publicKey, DAY_MS),
      };
    },
  };
}

const newKeys = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-256" });
