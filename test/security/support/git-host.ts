import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { startProcess } from "../../../bench/spawned.ts";
import type { Heard } from "./hosts.ts";

/** A repository with one commit, under `root/acme/private.git`. Pushes are taken. */
export async function createRepository(root: string): Promise<void> {
  const script = `set -e; mkdir -p "$1/acme"; cd "$1/acme"; git init -q -b main work; cd work
git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first
cd ..; git clone -q --bare work private.git; git -C private.git config http.receivepack true`;
  const made = startProcess("bash", ["-c", script, "bash", root]);
  if ((await made.ended) !== 0) throw new Error(`The repository could not be made:\n${made.output}`);
}

/** git's own server of repositories over HTTP, for those who have the password. */
export function serveRepositories(root: string, password: () => string): (heard: Heard) => RequestListener {
  return ({ target, headers, body }) =>
    async (request, response) => {
      const expected = `Basic ${Buffer.from(`x-access-token:${password()}`).toString("base64")}`;
      if (headers.authorization !== expected) {
        response.writeHead(401, { "www-authenticate": "Basic" }).end(`not ${headers.authorization}\n`);
        return;
      }
      const url = new URL(target, "http://git.test");
      const cgi = spawn("git", ["http-backend"], {
        env: {
          PATH: "/usr/local/bin:/usr/bin:/bin",
          HOME: path.dirname(root),
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "safe.directory",
          GIT_CONFIG_VALUE_0: "*",
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: "1",
          PATH_INFO: url.pathname,
          QUERY_STRING: url.search.slice(1),
          REQUEST_METHOD: request.method ?? "GET",
          CONTENT_TYPE: headers["content-type"] ?? "",
          CONTENT_LENGTH: String(body.length),
          HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
          GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
          REMOTE_USER: "x-access-token",
        },
        stdio: ["pipe", "pipe", "inherit"],
      });
      cgi.stdin.on("error", () => undefined);
      cgi.stdin.end(Buffer.from(body, "latin1"));
      const [answer] = await Promise.all([buffer(cgi.stdout), once(cgi, "close")]);
      const end = answer.indexOf("\r\n\r\n");
      const lines = answer.subarray(0, end).toString("latin1").split("\r\n");
      const pairs = lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      });
      const { status = "200", ...rest } = Object.fromEntries(pairs);
      response.writeHead(Number.parseInt(status, 10), rest).end(answer.subarray(end + 4));
    };
}
