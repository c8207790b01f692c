import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const HEADER_END = "\r\n\r\n";
/** git on this machine is to be as it comes, whatever its user has configured. */
const PLAIN_GIT = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
const AUTHOR = ["-c", "user.name=Host", "-c", "user.email=host@git.test"];

export interface GitRequest {
  path: string;
  authorization: string | undefined;
  status: number;
}

/** A host of private repositories: git's own smart HTTP server behind TLS and Basic auth, as hosts on the internet have it. */
export interface GitServer {
  /** Of a repository there is or is not, as people would write it. */
  url(repository: string): string;
  /** Makes `owner/name` with a branch `main` of one commit, without files; returns the commit's SHA. */
  addRepository(repository: string): Promise<string>;
  /** Adds a commit to a branch, which is begun at `main` if it is new; returns its SHA. */
  commit(repository: string, branch: string, message: string): Promise<string>;
  /** What the messages of a branch's commits are, newest first. */
  messages(repository: string, branch: string): Promise<string[]>;
  /** Lets a token do everything with these repositories, and nothing with others. */
  allow(token: string, ...repositories: string[]): void;
  revoke(token: string): void;
  /** Everything that was asked for, in order. */
  readonly requests: readonly GitRequest[];
  stop(): Promise<void>;
}

interface GitServerOptions {
  /** The name that its certificate is for. */
  host: string;
  /** Where it listens, on a free port. */
  address: string;
  tls: { key: string; cert: string };
}

export async function startGitServer({ host, address, tls }: GitServerOptions): Promise<GitServer> {
  const root = await mkdtemp(path.join(tmpdir(), "git-server-"));
  const tokens = new Map<string, ReadonlySet<string>>();
  const repositories = new Set<string>();
  const requests: GitRequest[] = [];
  const git = async (cwd: string, ...args: string[]) => (await run("git", args, { cwd, env: PLAIN_GIT })).stdout.trim();
  const folderOf = (repository: string) => path.join(root, `${repository}.git`);

  const server = createServer(tls, (request, response) => {
    const pathname = request.url ?? "/";
    const { authorization } = request.headers;
    const status = statusFor(pathname, authorization);
    requests.push({ path: pathname, authorization, status });
    if (status === 200) serve(root, request, response);
    else response.writeHead(status, status === 401 ? { "www-authenticate": 'Basic realm="git"' } : {}).end("No.\n");
  });

  function statusFor(pathname: string, authorization: string | undefined): number {
    const allowed = tokens.get(tokenIn(authorization));
    if (!allowed) return 401;
    const repository = /^\/([^/]+\/[^/]+?)(?:\.git)?\//.exec(pathname)?.[1] ?? "";
    if (!repositories.has(repository)) return 404;
    return allowed.has(repository) ? 200 : 403;
  }

  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const commit = async (repository: string, branch: string, message: string) => {
    const folder = folderOf(repository);
    const tips = await git(folder, "for-each-ref", "--format=%(refname:short) %(objectname)");
    const shas = new Map(tips.split("\n").map((line) => [line.split(" ")[0], line.split(" ")[1]]));
    const parent = shas.get(branch) ?? shas.get("main");
    const tree = await git(folder, "hash-object", "-t", "tree", "-w", "/dev/null");
    const sha = await git(folder, ...AUTHOR, "commit-tree", tree, ...(parent ? ["-p", parent] : []), "-m", message);
    await git(folder, "update-ref", `refs/heads/${branch}`, sha);
    return sha;
  };

  return {
    url: (repository) => `https://${host}:${port}/${repository}`,
    async addRepository(repository) {
      await git(root, "init", "--quiet", "--bare", "--initial-branch=main", folderOf(repository));
      repositories.add(repository);
      return commit(repository, "main", "First");
    },
    commit,
    async messages(repository, branch) {
      return (await git(folderOf(repository), "log", "--format=%s", branch)).split("\n");
    },
    allow: (token, ...names) => void tokens.set(token, new Set(names)),
    revoke: (token) => void tokens.delete(token),
    requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(root, { recursive: true });
    },
  };
}

/** The password of whichever user. */
function tokenIn(authorization = ""): string {
  const [, encoded = ""] = /^Basic (\S+)$/.exec(authorization) ?? [];
  return Buffer.from(encoded, "base64")
    .toString()
    .replace(/^[^:]*:/, "");
}

/** By git's CGI program, which reads what it is told of the request from its environment. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [pathname = "", query = ""] = (request.url ?? "/").split("?");
  const { headers } = request;
  const child = spawn("git", ["http-backend"], {
    env: {
      ...PLAIN_GIT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      // Somebody who is known may push.
      REMOTE_USER: "somebody",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname.replace(/^(\/[^/]+\/[^/]+?)(?:\.git)?\//, "$1.git/"),
      QUERY_STRING: query,
      CONTENT_TYPE: headers["content-type"],
      CONTENT_LENGTH: headers["content-length"],
      HTTP_CONTENT_ENCODING: headers["content-encoding"],
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  // Either side may end the exchange early.
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  let head: Buffer | null = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(HEADER_END);
    if (end === -1) return;
    for (const [, name = "", value = ""] of head.toString("latin1", 0, end).matchAll(/^([^:\s]+): (.*)$/gm)) {
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value.trim());
    }
    response.write(head.subarray(end + HEADER_END.length));
    head = null;
  });
  child.on("close", () => response.end());
}
