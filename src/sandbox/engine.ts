import type { Container } from "dockerode";

/** Enough for a busy engine; one that takes longer is not working. */
export const ENGINE_TIMEOUT_MS = 30_000;

/** Runs one request to the engine, ended by `signal` or after `timeoutMs`. Rejects with the signal's reason on abort. */
export async function engineCall<T>(
  what: string,
  request: (signal: AbortSignal) => Promise<T>,
  { signal, timeoutMs = ENGINE_TIMEOUT_MS }: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<T> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const onAbort = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    ending.abort(new Error(`The Docker engine did not finish "${what}" within ${timeoutMs} ms.`));
  }, timeoutMs);
  try {
    return await request(ending.signal);
  } catch (error) {
    ending.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Whether the engine said that what the request was about does not exist. */
export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** Whether the engine said that the container's state does not allow the request: not running, being removed. */
export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409;
}

export type ContainerState = "running" | "paused" | "stopped" | "gone";

export async function containerState(container: Container, signal?: AbortSignal): Promise<ContainerState> {
  try {
    const { State } = await engineCall("inspect", (abortSignal) => container.inspect({ abortSignal }), {
      ...(signal ? { signal } : {}),
    });
    if (State.Dead || State.Status === "removing") return "gone";
    if (State.Paused) return "paused";
    return State.Running ? "running" : "stopped";
  } catch (error) {
    if (isNotFound(error)) return "gone";
    throw error;
  }
}

/** Removes the container and its disk. No error when it is gone, or being removed already. */
export async function removeContainer(container: Container): Promise<void> {
  try {
    await engineCall("remove", (abortSignal) => container.remove({ force: true, v: true, abortSignal }));
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Freezes what runs in the container. No error when it does not run, is frozen already or gone. */
export async function pauseContainer(container: Container): Promise<void> {
  try {
    await engineCall("pause", (abortSignal) => container.pause({ abortSignal }));
  } catch (error) {
    if (!isNotFound(error) && (await containerState(container)) === "running") throw error;
  }
}

/** Ends what runs in the container; its disk stays. No error when it does not run or is gone. */
export async function stopContainer(container: Container): Promise<void> {
  try {
    await engineCall("stop", (abortSignal) => container.stop({ t: 1, abortSignal }));
  } catch (error) {
    if (!isNotFound(error) && statusOf(error) !== 304) throw error;
  }
}

/** Kills what runs in the container; its disk stays. No error when it does not run. */
export async function killContainer(container: Container): Promise<void> {
  try {
    await engineCall("kill", (abortSignal) => container.kill({ abortSignal }));
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

function statusOf(error: unknown): number | null {
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") return error.statusCode;
  return null;
}
