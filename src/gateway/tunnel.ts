import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { OpenAdmission } from "./admission.ts";
import type { Admission } from "./destination.ts";

export interface RelayOptions {
  /** What the client has sent already. */
  head: Buffer;
  admission: OpenAdmission;
  idleMs: number;
  /** Whether what is open may stay so; asked every `recheckMs`. */
  recheck(): Promise<boolean>;
  recheckMs: number;
}

/**
 * Passes bytes on both ways without looking at them, until both sides have ended, one of them breaks, nothing moves for
 * `idleMs`, or the sandbox may go on no more. Then the row is written.
 */
export function relay(
  client: Duplex,
  upstream: Socket,
  { head, admission, idleMs, recheck, recheckMs }: RelayOptions,
): void {
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on("error", cut);
  upstream.on("error", cut);
  // Each chunk is read on one side and written on the other, so either of the two knows that nothing moves.
  upstream.setTimeout(idleMs, cut);
  const rechecking = setInterval(() => void recheck().then((isAllowed) => isAllowed || cut()), recheckMs);
  upstream.on("close", () => {
    clearInterval(rechecking);
    // Waits for what is left to reach the client.
    client.end(() => client.destroy());
    admission.finish({ status: 200 });
  });
  client.on("close", () => {
    if (!client.readableEnded || !client.writableFinished) upstream.destroy();
  });
  if (head.length > 0 && !counts(admission, "out", head.length)) return cut();
  if (head.length > 0) upstream.write(head);
  client.on("data", (chunk: Buffer) => void (counts(admission, "out", chunk.length) || cut()));
  upstream.on("data", (chunk: Buffer) => void (counts(admission, "in", chunk.length) || cut()));
  client.pipe(upstream);
  upstream.pipe(client);
}

/** False when the sandbox has moved all it may; the admission has recorded that. */
export function counts(admission: Admission, direction: "out" | "in", bytes: number): boolean {
  try {
    admission.count(direction, bytes);
    return true;
  } catch {
    return false;
  }
}
