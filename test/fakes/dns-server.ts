import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIP } from "node:net";

/** Answers a name with addresses, or with another name to go on with. */
export type DnsAnswer = readonly string[] | { cname: string };

export interface DnsServer {
  /** As resolvers are told: address and port. */
  readonly address: string;
  /** How often each name was asked for, whatever the type. */
  asked(name: string): number;
  /** @param answer gets how often the name was asked for before with the same type */
  set(name: string, answer: DnsAnswer | ((nth: number) => DnsAnswer)): void;
  stop(): Promise<void>;
}

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const HEADER_BYTES = 12;
const NOT_FOUND = 3;

/** A DNS server over UDP, whose answers hold for no time at all. */
export async function startDnsServer(): Promise<DnsServer> {
  const answers = new Map<string, (nth: number) => DnsAnswer>();
  const counts = new Map<string, number>();
  const socket = createSocket("udp4");

  socket.on("message", (query, peer) => {
    const { name, type, end } = readQuestion(query);
    const key = `${type} ${name}`;
    const nth = counts.get(key) ?? 0;
    counts.set(key, nth + 1);
    const records = recordsFor(name, type, (one) => answers.get(one)?.(nth));
    socket.send(reply(query.subarray(0, end), records), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");

  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked: (name) => [TYPE_A, TYPE_AAAA].reduce((sum, type) => sum + (counts.get(`${type} ${name}`) ?? 0), 0),
    set(name, answer) {
      answers.set(name, typeof answer === "function" ? answer : () => answer);
    },
    async stop() {
      socket.close();
      await once(socket, "close");
    },
  };
}

interface DnsRecord {
  name: string;
  type: number;
  data: Buffer;
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Null for a name that there is not. */
function recordsFor(name: string, type: number, answerOf: (name: string) => DnsAnswer | undefined): DnsRecord[] | null {
  const answer = answerOf(name);
  if (!answer) return null;
  if ("cname" in answer) {
    const alias = { name, type: TYPE_CNAME, data: encodeName(answer.cname) };
    return [alias, ...(recordsFor(answer.cname, type, answerOf) ?? [])];
  }
  const version = type === TYPE_A ? 4 : type === TYPE_AAAA ? 6 : 0;
  return answer
    .filter((address) => isIP(address) === version)
    .map((address) => ({ name, type, data: encodeAddress(address) }));
}

function reply(question: Buffer, records: DnsRecord[] | null): Buffer {
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180 | (records ? 0 : NOT_FOUND), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records?.length ?? 0, 6);
  header.writeUInt32BE(0, 8);
  const answers = (records ?? []).map(({ name, type, data }) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt16BE(data.length, 8);
    return Buffer.concat([encodeName(name), fixed, data]);
  });
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...answers]);
}

const encodeName = (name: string) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1")),
    Buffer.of(0),
  ]);

function encodeAddress(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const missing = 8 - groups(head).length - groups(tail ?? "").length;
  const all = [
    ...groups(head),
    ...Array.from({ length: tail === undefined ? 0 : missing }, () => "0"),
    ...groups(tail ?? ""),
  ];
  return Buffer.concat(all.map((group) => Buffer.from(group.padStart(4, "0"), "hex")));
}
