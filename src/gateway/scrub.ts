import { createHash } from "node:crypto";
import { createBytePatterns, type BytePatterns } from "./byte-patterns.ts";
import { secretForms, sentBase64Forms } from "./secret-forms.ts";

const STAR = 0x2a;
const SCRUBBERS_MAX = 64;

/** What has to be found in what comes back. */
export interface SentSecrets {
  /** All secrets that could have been put in. */
  values: readonly string[];
  /** Base64 that was made with one of them. */
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

/** Makes scrubbers, and keeps those that were used last: the same secrets are asked for with each request. */
export function createScrubbers(): (secrets: SentSecrets) => Scrubber {
  const known = new Map<string, Scrubber>();
  return ({ values, basics }) => {
    const key = createHash("sha256")
      .update(JSON.stringify([values, basics]))
      .digest("base64");
    const scrubber =
      known.get(key) ??
      createScrubber(createBytePatterns([...values.flatMap(secretForms), ...basics.flatMap(sentBase64Forms)]));
    known.delete(key);
    known.set(key, scrubber);
    if (known.size > SCRUBBERS_MAX) for (const oldest of [...known.keys()].slice(0, 1)) known.delete(oldest);
    return scrubber;
  };
}

function createScrubber(patterns: BytePatterns): Scrubber {
  const stream = () => createScrubbedStream(patterns);
  return {
    stream,
    text(text) {
      const scrubbed = stream();
      return Buffer.concat([scrubbed.push(Buffer.from(text, "latin1")), scrubbed.end()]).toString("latin1");
    },
  };
}

function createScrubbedStream(patterns: BytePatterns): ScrubbedStream {
  let state = 0;
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const before = held.length;
      state = patterns.scan(state, chunk, (end, length) => bytes.fill(STAR, before + end - length, before + end));
      // Whatever is found later begins here or later.
      const open = bytes.length - patterns.depthOf(state);
      held = Buffer.from(bytes.subarray(open));
      return bytes.subarray(0, open);
    },

    end() {
      const rest = held;
      held = Buffer.alloc(0);
      state = 0;
      return rest;
    },
  };
}
