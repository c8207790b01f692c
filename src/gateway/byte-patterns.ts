/** Finds any of many byte strings in one pass over a stream: Aho and Corasick's automaton. */
export interface BytePatterns {
  /** How many there are: what it takes of memory, and took of time to be made. */
  readonly states: number;
  /** Bytes of the longest beginning of a pattern that the stream ends with in this state. The first state is 0. */
  depthOf(state: number): number;
  /**
   * @param onFound with where a pattern ends in `bytes` and its length, which reaches back before `bytes` when it began there
   * @returns the state after `bytes`
   */
  scan(state: number, bytes: Uint8Array, onFound: (end: number, length: number) => void): number;
}

const PATTERN_BYTES_MIN = 3;
const ROW = 256;
const NONE = -1;

/** @param given each of at least three bytes */
export function createBytePatterns(given: readonly Uint8Array[]): BytePatterns {
  if (given.some(({ length }) => length < PATTERN_BYTES_MIN))
    throw new RangeError("A pattern is too short to look for.");
  const trie = createTrie(given);
  const { depth, found, childOf } = trie;
  const fallback = linkFallbacks(trie);
  const beginnings = beginningsOf(given);

  const next = (state: number, byte: number): number => {
    for (let node = state; ; node = fallback[node] ?? 0) {
      const child = childOf(node, byte);
      if (child !== 0 || node === 0) return child;
    }
  };

  /** The first place from which a pattern may begin; of the last two bytes that is not known. */
  const skip = (bytes: Uint8Array, from: number): number => {
    const last = bytes.length - PATTERN_BYTES_MIN;
    let three = ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0);
    for (let at = from; at <= last; at += 1) {
      three = ((three << 8) | (bytes[at + 2] ?? 0)) & 0xff_ff_ff;
      if (beginnings[hashOf(three)] === 1) return at;
    }
    return Math.max(from, last + 1);
  };

  return {
    states: trie.size,
    depthOf: (state) => depth[state] ?? 0,

    scan(from, bytes, onFound) {
      let state = from;
      for (let at = 0; at < bytes.length; at += 1) {
        if (state === 0) at = skip(bytes, at);
        state = next(state, bytes[at] ?? 0);
        const length = found[state] ?? 0;
        if (length > 0) onFound(at + 1, length);
      }
      return state;
    },
  };
}

/** A node is a number, the root 0. Nearly all have one child, which is kept beside them; the others have a row of 256. */
interface Trie {
  size: number;
  /** How far from the root. */
  depth: Int32Array;
  /** Length of the longest pattern that ends at the node; 0 for none. */
  found: Int32Array;
  /** 0 for none. */
  childOf(node: number, byte: number): number;
  childrenOf(node: number): [byte: number, child: number][];
}

function createTrie(patterns: readonly Uint8Array[]): Trie {
  const nodesMax = patterns.reduce((sum, { length }) => sum + length, 1);
  const onlyByte = new Int16Array(nodesMax).fill(NONE);
  const onlyChild = new Int32Array(nodesMax);
  const rows = new Map<number, Int32Array>();
  const depth = new Int32Array(nodesMax);
  const found = new Int32Array(nodesMax);
  let size = 1;

  const childOf = (node: number, byte: number): number => {
    const only = onlyByte[node];
    if (only === byte) return onlyChild[node] ?? 0;
    return only === NONE ? (rows.get(node)?.[byte] ?? 0) : 0;
  };
  const add = (node: number, byte: number): number => {
    const child = size;
    size += 1;
    depth[child] = (depth[node] ?? 0) + 1;
    const row = rows.get(node);
    const only = onlyByte[node] ?? NONE;
    if (row) row[byte] = child;
    else if (onlyChild[node] === 0) [onlyByte[node], onlyChild[node]] = [byte, child];
    else {
      const made = new Int32Array(ROW);
      made[only] = onlyChild[node] ?? 0;
      made[byte] = child;
      rows.set(node, made);
      onlyByte[node] = NONE;
    }
    return child;
  };

  for (const pattern of patterns) {
    let node = 0;
    for (const byte of pattern) node = childOf(node, byte) || add(node, byte);
    found[node] = pattern.length;
  }
  return {
    size,
    depth,
    found,
    childOf,
    childrenOf(node) {
      const row = rows.get(node);
      if (row) return [...row.entries()].filter(([, child]) => child !== 0);
      const only = onlyByte[node] ?? NONE;
      return only === NONE ? [] : [[only, onlyChild[node] ?? 0]];
    },
  };
}

/**
 * For each node, that of the longest other beginning which the bytes that led to it end with. Also marks nodes with the
 * patterns that end there so. In the order of their depth: each needs those that are less deep.
 */
function linkFallbacks({ size, found, childOf, childrenOf }: Trie): Int32Array {
  const fallback = new Int32Array(size);
  const queue = [0];
  for (const node of queue) {
    for (const [byte, child] of childrenOf(node)) {
      let shorter = fallback[node] ?? 0;
      while (shorter !== 0 && childOf(shorter, byte) === 0) shorter = fallback[shorter] ?? 0;
      const link = node === 0 ? 0 : childOf(shorter, byte);
      fallback[child] = link;
      found[child] = Math.max(found[child] ?? 0, found[link] ?? 0);
      queue.push(child);
    }
  }
  return fallback;
}

const HASH_BITS = 16;
const hashOf = (three: number) => Math.imul(three, 0x9e_37_79_b1) >>> (32 - HASH_BITS);

/** Which three bytes a pattern may begin with. Nearly everything that is looked through is passed over with this. */
function beginningsOf(patterns: readonly Uint8Array[]): Uint8Array {
  const beginnings = new Uint8Array(1 << HASH_BITS);
  for (const [first = 0, second = 0, third = 0] of patterns)
    beginnings[hashOf((first << 16) | (second << 8) | third)] = 1;
  return beginnings;
}
