/**
 * A program: times https requests over the routes it is given, in turn, and prints the times. Plain JavaScript that needs
 * nothing but Node, since it also runs inside sandboxes, whose Node is older. `probe.ts` says what goes in and comes out.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as secureConnect, createSecureContext } from "node:tls";

const { host, port, warmUp, fresh, kept, routes } = JSON.parse(process.argv[2] ?? "");

async function open({ at, tunnel, secureContext }) {
  const socket = connect({ ...at, noDelay: true });
  await once(socket, "connect");
  if (tunnel) {
    socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    const answer = await answerFrom(socket, (text) => text.includes("\r\n\r\n"));
    if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`The tunnel was refused: ${answer}`);
  }
  const secure = secureConnect({ socket, servername: host, secureContext });
  await once(secure, "secureConnect");
  return secure;
}

async function request(secure, path, { name, authorization, expects }) {
  secure.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: ${authorization}\r\n\r\n`);
  const answer = await answerFrom(secure, isWhole);
  if (!answer.startsWith("HTTP/1.1 200") || !answer.includes(expects)) throw new Error(`${name}: ${answer}`);
}

function answerFrom(socket, isEnough) {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (outcome) => {
      socket.removeListener("data", read).removeListener("error", fail).removeListener("close", fail);
      outcome();
    };
    const read = (chunk) => {
      text += chunk.toString("latin1");
      if (isEnough(text)) settle(() => resolve(text));
    };
    const fail = () => settle(() => reject(new Error(`The connection ended after: ${text}`)));
    socket.on("data", read).once("error", fail).once("close", fail);
  });
}

function isWhole(text) {
  const [head, body] = text.split(/\r\n\r\n(.*)/s);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head ?? "")?.[1];
  if (body === undefined) return false;
  return length === undefined ? body.endsWith("0\r\n\r\n") : body.length >= Number(length);
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const opened = routes.map((route) => ({
  ...route,
  secureContext: createSecureContext({ ca: readFileSync(route.ca) }),
  times: { fresh: [], kept: [] },
}));

for (let at = 0; at < warmUp + fresh; at++) {
  for (const route of opened) {
    let secure;
    const ms = await timed(async () => {
      secure = await open(route);
      await request(secure, "/once", route);
    });
    secure.destroy();
    if (at >= warmUp) route.times.fresh.push(ms);
  }
}

const connections = await Promise.all(opened.map(async (route) => ({ route, secure: await open(route) })));
for (let at = 0; at < warmUp + kept; at++) {
  for (const { route, secure } of connections) {
    const ms = await timed(() => request(secure, "/", route));
    if (at >= warmUp) route.times.kept.push(ms);
  }
}
for (const { secure } of connections) secure.destroy();
process.stdout.write(`${JSON.stringify(Object.fromEntries(opened.map(({ name, times }) => [name, times])))}\n`);
