import { once } from "node:events";

const CLOSE_TIMEOUT_MS = 5_000;

/** local-slack takes submissions on the WebSocket of its web page alone, and answers there when the modals have changed. */
export async function submitModal(
  url: string,
  user: string,
  values: Record<string, Record<string, unknown>>,
): Promise<void> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ui`);
  const signal = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
  await once(socket, "open", { signal });
  const answered = new Promise<void>((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      if (/"t":"view(_errors)?"/.test(String(data))) resolve();
    });
  });
  socket.send(JSON.stringify({ t: "view_submit", user, values }));
  await Promise.race([answered, once(signal, "abort").then(() => signal.throwIfAborted())]);
  socket.close();
  await once(socket, "close");
}
