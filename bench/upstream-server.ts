/**
 * A program: an https server that stands for the internet, and a DNS server that knows where it is. It is given its name,
 * the secret it looks for in `Authorization`, and the file for the certificate of the authority that vouches for it. It
 * prints both ports, then serves until it is killed.
 */
import { generateKeyPairSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { authorityCertificate, serverCertificate } from "../src/gateway/certificate.ts";
import { nameAnswer } from "./name-answer.ts";
import { UPSTREAM_ADDRESS } from "./names.ts";

const DAY_MS = 86_400_000;

const [name = "", secret = "", authorityFile = ""] = process.argv.slice(2);
const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = { commonName: "Authority of a benchmark", ...newKeys() };
await writeFile(authorityFile, authorityCertificate(issuer, DAY_MS));
const { publicKey, privateKey } = newKeys();

const server = createServer(
  {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: serverCertificate(issuer, name, publicKey, DAY_MS),
    keepAliveTimeout: 60_000,
    noDelay: true,
  },
  ({ url, headers }, response) => {
    const body = headers.authorization === `Bearer ${secret}` ? "with the secret\n" : "without the secret\n";
    // So that whoever asks again has to connect again.
    if (url === "/once") response.setHeader("connection", "close");
    response.setHeader("content-length", body.length).end(body);
  },
);
server.listen(0, UPSTREAM_ADDRESS);
await once(server, "listening");

const names = createSocket("udp4");
names.on("message", (query, { port, address }) => names.send(nameAnswer(query, UPSTREAM_ADDRESS), port, address));
names.bind(0, "127.0.0.1");
await once(names, "listening");

process.stdout.write(
  `${JSON.stringify({ port: (server.address() as AddressInfo).port, dnsPort: names.address().port })}\n`,
);
// Ends with whoever started it, however that one ends.
process.stdin.resume().once("end", () => process.exit());
