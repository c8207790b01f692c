import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to an HTTP server that can break, as networks do. Passes everything through until told otherwise. */
export interface FlakyNetwork {
  url: string;
  /** Every connection breaks, and new ones too, until `up`. */
  down(): void;
  up(): void;
  /** Ends the connections that are open now, in mid-answer. */
  cut(): void;
  /** The next request that matches reaches the server; its answer is lost. Resolves when that has happened. */
  loseAnswer(method: string, path: RegExp): Promise<void>;
  /** How many requests that match came by. */
  count(method: string, path: RegExp): number;
  close(): Promise<void>;
}

export async function startFlakyNetwork(target: string): Promise<FlakyNetwork> {
  let isDown = false;
  const seen: string[] = [];
  const losses: { method: string; path: RegExp; done: () => void }[] = [];
  const matches = (req: IncomingMessage, method: string, path: RegExp) =>
    req.method === method && path.test(new URL(req.url ?? "/", target).pathname);

  const server = createServer((req, res) => {
    if (isDown) return void req.socket.destroy();
    seen.push(`${req.method} ${new URL(req.url ?? "/", target).pathname}`);
    const index = losses.findIndex(({ method, path }) => matches(req, method, path));
    const [loss] = index === -1 ? [] : losses.splice(index, 1);
    forward(target, req, res, (answer) => {
      if (!loss) return false;
      answer.resume().once("end", () => {
        req.socket.destroy();
        loss.done();
      });
      return true;
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    down() {
      isDown = true;
      server.closeAllConnections();
    },
    up() {
      isDown = false;
    },
    cut: () => server.closeAllConnections(),
    loseAnswer: (method, path) => new Promise((done) => void losses.push({ method, path, done })),
    count: (method, path) =>
      seen.filter((line) => line.startsWith(`${method} `) && path.test(line.slice(method.length + 1))).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(
  target: string,
  req: IncomingMessage,
  res: ServerResponse,
  intercept: (answer: IncomingMessage) => boolean,
): void {
  const onward = request(new URL(req.url ?? "/", target), { method: req.method, headers: req.headers }, (answer) => {
    if (intercept(answer)) return;
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    res.flushHeaders();
    answer.pipe(res);
    answer.on("error", () => res.destroy());
  });
  onward.on("error", () => req.socket.destroy());
  res.on("close", () => onward.destroy());
  req.pipe(onward);
}
