/** A frame is a few words, or a whole call with a file in it. */
const FRAME_CHARS_MAX = 1_000_000;

export class OversizedFrameError extends Error {
  override readonly name = "OversizedFrameError";
}

/**
 * The data of each server-sent event in a body, to its end. What is no data (comments, names, ids) is passed over.
 * @param heard is told of every piece of the body, comments too
 * @throws OversizedFrameError, and whatever the body does
 */
export async function* readFrames(body: AsyncIterable<Uint8Array>, heard: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const lines = new FrameLines();
  for await (const bytes of body) {
    heard();
    yield* lines.take(decoder.decode(bytes, { stream: true }));
  }
}

/** Cuts text into lines and lines into events. A line that never ends is not waited for. */
class FrameLines {
  #rest = "";
  #data: string[] = [];
  #dataChars = 0;

  *take(text: string): Generator<string> {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) yield* this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (this.#rest.length + this.#dataChars > FRAME_CHARS_MAX)
      throw new OversizedFrameError("a frame that does not end");
  }

  *#line(line: string): Generator<string> {
    if (line.startsWith("data:")) {
      const value = line.slice(line.startsWith("data: ") ? "data: ".length : "data:".length);
      this.#data.push(value);
      this.#dataChars += value.length;
    } else if (line === "" && this.#data.length > 0) {
      yield this.#data.join("\n");
      this.#data = [];
      this.#dataChars = 0;
    }
  }
}
