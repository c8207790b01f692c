import { createScrubbers } from "../gateway/scrub.ts";
import type { CapturedResponse } from "../schemas/credential-validation.ts";
import type { Secret } from "../secrets/secret.ts";
import type { OutboundAnswer } from "./checked-fetch.ts";
import { formEncoded } from "./form-encoded.ts";

const BODY_CHARS_MAX = 2_000;
/** More than is shown, so that a secret at the end of what is shown is known by its whole. */
const READ_BYTES_MAX = 65_536;
const CONTENT_TYPE_CHARS_MAX = 200;

/** Tokens that nobody has seen yet are secrets too. */
const TOKEN_FIELD = /("(?:access_token|refresh_token|id_token|client_secret)"\s*:\s*")((?:[^"\\]|\\.)*)/g;

/** An answer that can still be shown after somebody read its body, or a part of it. */
export class RecordedAnswer {
  /** To be read once. */
  readonly body: AsyncGenerator<Uint8Array>;
  readonly #answer: OutboundAnswer;
  readonly #decoder = new TextDecoder();
  #text = "";
  #bytes = 0;

  constructor(answer: OutboundAnswer) {
    this.#answer = answer;
    this.body = this.#record();
  }

  /** Reads as much of the rest as is worth showing, and ends the connection. */
  async capture(secrets: readonly Secret[]): Promise<CapturedResponse> {
    try {
      while (this.#bytes <= READ_BYTES_MAX && (await this.body.next()).done !== true);
    } catch {
      // What was read until it broke off is still worth showing.
    }
    this.end();
    return captured(this.#answer, this.#text, secrets, this.#bytes > READ_BYTES_MAX);
  }

  /** Ends the connection, whether everything was read or not. */
  end(): void {
    this.#answer.end();
  }

  async *#record(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#answer.body) {
      const room = Math.max(0, READ_BYTES_MAX - this.#bytes);
      this.#text += this.#decoder.decode(chunk.subarray(0, room), { stream: true });
      this.#bytes += chunk.byteLength;
      yield chunk;
    }
  }
}

/** A whole body as text. Rejects as the body does. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

function captured(
  { status, contentType }: Pick<OutboundAnswer, "status" | "contentType">,
  text: string,
  secrets: readonly Secret[],
  cut: boolean,
): CapturedResponse {
  const clean = scrub(text, secrets);
  return {
    status_code: status,
    content_type: scrub(contentType, secrets).slice(0, CONTENT_TYPE_CHARS_MAX),
    body: clean.slice(0, BODY_CHARS_MAX).toWellFormed(),
    body_truncated: cut || clean.length > BODY_CHARS_MAX,
  };
}

function scrub(text: string, secrets: readonly Secret[]): string {
  const plain = secrets.map((secret) => secret.reveal());
  // Basic authentication encodes its parts as forms do, before base64.
  const { text: star } = createScrubbers()({ values: [...plain, ...plain.map(formEncoded)], basics: [] });
  const clean = Buffer.from(star(Buffer.from(text).toString("latin1")), "latin1").toString();
  return clean.replace(TOKEN_FIELD, (_, name: string, value: string) => name + "*".repeat(value.length));
}
