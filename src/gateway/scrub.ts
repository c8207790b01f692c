import { createHash } from "node:crypto";
import { createBytePatterns, type BytePatterns } from "./byte-patterns.ts";
import { secretForms, sentBase64Forms } from "./secret-forms.ts";

const STAR = 0x2a;
const KEPT_MAX = 64;
/** Of all that are kept, together. Each takes about 20 bytes. */
const KEPT_STATES_MAX = 4_000_000;

/** What has to be found in what comes back. */
export interface SentSecrets {
  /** All secrets that could have been put in. */
  values: readonly string[];
  /** Base64 that is made of one of them, the same each time. */
  authorizations?: readonly string[];
  /** Base64 that was made with one of them, and with what the sandbox chose. */
  basics: readonly string[];
}

/** Replaces each byte of every form of the secrets by `*`, so that nothing else moves. */
export interface Scrubber {
  /** @param text bytes as Latin-1, as in headers */
  text(text: string): string;
  /** One for each stream. */
  stream(): ScrubbedStream;
}

/** Keeps back only what a form may have begun with. Changes the bytes it is given. */
export interface ScrubbedStream {
  push(chunk: Buffer): Buffer;
  /** What is left at the end. */
  end(): Buffer;
}

/** From what is to be found in an answer to who finds it. */
export type Scrubbers = (secrets: SentSecrets) => Scrubber;

/**
 * Makes scrubbers, and keeps what the values of the last ones took long to be made into: they are asked for with each
 * request. What a sandbox can have another of for each request, the base64, is small and made anew.
 */
export function createScrubbers(): Scrubbers {
  const known = new Map<string, BytePatterns>();
  let states = 0;

  function patternsOf(values: readonly string[], authorizations: readonly string[]): BytePatterns {
    const key = createHash("sha256")
      .update(JSON.stringify([values, authorizations]))
      .digest("base64");
    const patterns =
      known.get(key) ??
      createBytePatterns([...values.flatMap(secretForms), ...authorizations.flatMap(sentBase64Forms)]);
    if (!known.delete(key)) states += patterns.states;
    known.set(key, patterns);
    for (const [oldest, { states: freed }] of known) {
      if (oldest === key || (known.size <= KEPT_MAX && states <= KEPT_STATES_MAX)) break;
      known.delete(oldest);
      states -= freed;
    }
    return patterns;
  }

  return ({ values, authorizations = [], basics }) => {
    const ofValues = patternsOf(values, authorizations);
    return createScrubber(
      basics.length === 0 ? [ofValues] : [ofValues, createBytePatterns(basics.flatMap(sentBase64Forms))],
    );
  };
}

function createScrubber(patterns: readonly BytePatterns[]): Scrubber {
  const stream = () => createScrubbedStream(patterns);
  return {
    stream,
    text(text) {
      const scrubbed = stream();
      return Buffer.concat([scrubbed.push(Buffer.from(text, "latin1")), scrubbed.end()]).toString("latin1");
    },
  };
}

function createScrubbedStream(patterns: readonly BytePatterns[]): ScrubbedStream {
  let states = patterns.map(() => 0);
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const before = held.length;
      // Filled when all have looked: what one finds may overlap with what another does.
      const found: [start: number, end: number][] = [];
      states = patterns.map((each, index) =>
        each.scan(states[index] ?? 0, chunk, (end, length) => found.push([before + end - length, before + end])),
      );
      for (const [start, end] of found) bytes.fill(STAR, start, end);
      // Whatever is found later begins here or later.
      const open = bytes.length - Math.max(...patterns.map((each, index) => each.depthOf(states[index] ?? 0)));
      held = Buffer.from(bytes.subarray(open));
      return bytes.subarray(0, open);
    },

    end() {
      const rest = held;
      held = Buffer.alloc(0);
      states = patterns.map(() => 0);
      return rest;
    },
  };
}
