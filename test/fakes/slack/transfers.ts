import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebApiDeps } from "./web-api.ts";
import { readUpload } from "./request-body.ts";
import { bearerOf, mayDownload } from "./tokens.ts";

type Transfer = (deps: WebApiDeps, request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** `POST /upload/v1/<file id>`: the bytes, with no token. */
export const answerUpload: Transfer = async (deps, request, response, path) => {
  const { settings, world, log, violations } = deps;
  const id = path.split("/").at(-1) ?? "";
  const upload = settings.uploads.get(id);
  const fault = deps.faults.take("upload", upload?.by.id ?? "");
  const bytes = await readUpload(request);
  log.calls.push({
    method: "upload",
    args: { file: id, bytes: bytes.length },
    team: upload?.by.id ?? "",
    at: world.clock.now(),
    answer: { ok: Boolean(upload) },
  });
  if (fault?.type === "reset" && fault.when === "before") return void response.destroy();
  if (fault?.type === "http") return void response.writeHead(fault.status).end();
  if (fault?.type === "hang") return;
  if (upload && bytes.length === upload.length) upload.bytes = bytes;
  else violations.push(`upload: ${bytes.length} bytes for ${id}, which was announced with ${upload?.length}`);
  log.changed();
  if (fault?.type === "reset") return void response.destroy();
  response.writeHead(upload?.bytes ? 200 : 400).end(`OK - ${bytes.length}`);
};

/** `GET /files-pri/<team>-<file id>/…`: without a token that may read it, a page to sign in, with status 200. */
export const answerDownload: Transfer = async (deps, request, response, path) => {
  const { world, log } = deps;
  const [, id] = /^\/files-pri\/[^/]+-([^/-]+)\//.exec(path) ?? [];
  const file = world.files.get(id ?? "");
  const token = bearerOf(request.headers.authorization);
  const team = world.tokens.get(token ?? "")?.installation.id ?? "";
  const ok = file !== undefined && mayDownload(world, token, file);
  log.calls.push({ method: "download", args: { file: id }, team, at: world.clock.now(), answer: { ok } });
  log.changed();
  const fault = deps.faults.take("download", team);
  if (fault?.type === "reset" && fault.when === "before") return void response.destroy();
  if (fault?.type === "http") return void response.writeHead(fault.status).end();
  if (fault?.type === "hang") return;
  if (!file) return void response.writeHead(404).end();
  if (!ok) return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(SIGN_IN);
  response.writeHead(200, { "content-type": file.mimetype, "content-length": file.bytes.length });
  if (fault?.type === "reset")
    return void response.write(file.bytes.subarray(0, file.bytes.length / 2), () => response.destroy());
  response.end(file.bytes);
};

const SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>";
