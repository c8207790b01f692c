/** The few values of ASN.1 that a certificate is made of, in DER. Nothing is ever read with it. */
const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
};
/** From this year on, dates have four digits for the year. */
const GENERALIZED_FROM = 2050;

export const sequence = (...parts: Uint8Array[]) => tagged(TAGS.sequence, ...parts);
export const setOf = (...parts: Uint8Array[]) => tagged(TAGS.set, ...parts);
export const octetString = (bytes: Uint8Array) => tagged(TAGS.octetString, bytes);
export const utf8 = (text: string) => tagged(TAGS.utf8, Buffer.from(text));
export const yes = () => tagged(TAGS.boolean, Buffer.of(0xff));

/** `tag` is the whole byte: class, kind and number. */
export function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, ...lengthOf(content)), content]);
}

/** @param bytes a number without a sign, the highest byte first */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : bytes.subarray(first);
  const sign = (digits[0] ?? 0) > 0x7f ? [0] : [];
  return tagged(TAGS.integer, Buffer.of(...sign), digits);
}

export const bitString = (bytes: Uint8Array, unusedBits = 0) => tagged(TAGS.bitString, Buffer.of(unusedBits), bytes);

/** @param dotted such as `2.5.29.17` */
export function oid(dotted: string): Buffer {
  const [root = 0, branch = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(TAGS.oid, Buffer.of(root * 40 + branch, ...rest.flatMap(base128)));
}

/** To the second. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < GENERALIZED_FROM
    ? tagged(TAGS.utcTime, Buffer.from(digits.slice(2)))
    : tagged(TAGS.generalizedTime, Buffer.from(digits));
}

function lengthOf({ length }: Uint8Array): number[] {
  if (length < 0x80) return [length];
  const digits = [];
  for (let rest = length; rest > 0; rest >>= 8) digits.unshift(rest & 0xff);
  return [0x80 | digits.length, ...digits];
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}
