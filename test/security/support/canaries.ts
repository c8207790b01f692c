import { randomBytes } from "node:crypto";

const HEX_BYTES = 5;
const BASE64_OFFSETS = [0, 1, 2];

/** Secrets that can be told from everything else there is, wherever they turn up. */
export interface Canaries {
  /** What all of them begin with. Only the halves may be said where they are looked for. */
  readonly mark: string;
  /** A new one. `middle` is what makes it hard to find in another spelling; its ends are letters and digits. */
  plant(kind: string, middle?: string): string;
  /** 32 bytes in base64 that begin like every other one. */
  plantKey(): string;
  /** The kinds of those that are in these bytes, or a part of them, as they are or in an encoding. */
  findIn(bytes: Buffer): string[];
  /** Cheaper, for what is large: anything that begins as they do. */
  isIn(bytes: Buffer): boolean;
}

/** Not by means of the product's own list of encodings, which might lack one. */
export function createCanaries(): Canaries {
  const mark = `zq${randomBytes(HEX_BYTES).toString("hex")}`;
  const marks = encodings(mark);
  const tails: { kind: string; forms: Buffer[] }[] = [];
  const newTail = (kind: string) => {
    const tail = `qz${randomBytes(HEX_BYTES).toString("hex")}`;
    tails.push({ kind, forms: encodings(tail) });
    return tail;
  };
  const holds = (bytes: Buffer, forms: Buffer[]) => forms.some((form) => bytes.includes(form));
  return {
    mark,
    plant: (kind, middle = "_") => `${mark}${middle}${newTail(kind)}`,
    plantKey: () => `${mark}${randomBytes(24).toString("base64").slice(0, 19)}${newTail("master key")}=`,
    findIn: (bytes) => [
      ...(holds(bytes, marks) ? ["any"] : []),
      ...tails.flatMap(({ kind, forms }) => (holds(bytes, forms) ? [kind] : [])),
    ],
    isIn: (bytes) => holds(bytes, marks),
  };
}

/** A text of letters and digits as it is, in UTF-16, hex, escapes of URLs, and base64 wherever it stands in what was encoded. */
function encodings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const hex = bytes.toString("hex");
  const escaped = hex.replaceAll(/../g, "%$&");
  const base64 = BASE64_OFFSETS.map((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return all.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const texts = [text, hex, hex.toUpperCase(), escaped, escaped.toUpperCase(), ...base64];
  return [...texts.map((form) => Buffer.from(form)), Buffer.from(text, "utf16le")];
}
