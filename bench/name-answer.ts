const HEADER_BYTES = 12;
const TYPE_A = 1;
/** A response, to be relied on, without an error. */
const FLAGS = 0x8580;
const COUNTS_AT = 4;
/** The name that was asked for, where it stands in the question. */
const SAME_NAME = 0xc00c;

/**
 * The answer of a DNS server by which every name has this IPv4 address, for no time at all, and no address of another
 * kind. Pure.
 * @param query with one question
 */
export function nameAnswer(query: Buffer, address: string): Buffer {
  let end = HEADER_BYTES;
  while (query.readUInt8(end) > 0) end += 1 + query.readUInt8(end);
  const type = query.readUInt16BE(end + 1);
  const question = Buffer.from(query.subarray(0, end + 5));
  const isWanted = type === TYPE_A;
  question.writeUInt16BE(FLAGS, 2);
  for (const [at, count] of [1, isWanted ? 1 : 0, 0, 0].entries()) question.writeUInt16BE(count, COUNTS_AT + 2 * at);
  if (!isWanted) return question;
  const record = Buffer.alloc(16);
  record.writeUInt16BE(SAME_NAME, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt16BE(4, 10);
  record.set(address.split(".").map(Number), 12);
  return Buffer.concat([question, record]);
}
