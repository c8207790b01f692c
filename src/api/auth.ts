import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError, invalid } from "../errors.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";

const MANAGED_AGENTS_BETA = "managed-agents-2026-04-01";
const API_VERSIONS = ["2026-10-21", "2023-06-01"];

/** How long a revoked key may still work. */
const KEY_REMEMBERED_MS = 10_000;
const KEYS_REMEMBERED_MAX = 1_000;

const header = (request: FastifyRequest, name: string) => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
};

/**
 * A hook that finds out whose request it is and refuses it otherwise: 401 without a good key, 400 without a known
 * `anthropic-version`, 403 for another `anthropic-workspace-id` than the key's.
 *
 * The key comes as `Authorization: Bearer` or as `x-api-key`. Both at once are refused on every route, though the hosted
 * API does so on the event stream only: two credentials leave open who is asking.
 */
export function authenticate(workspaces: Pick<Workspaces, "findByApiKey">) {
  const workspaceOf = rememberBriefly((key) => workspaces.findByApiKey(key));

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const workspaceId = await workspaceOf(givenKey(request));
    if (workspaceId === null) throw new AppError("authentication", "The API key is not valid.");
    request.workspaceId = workspaceId;
    reply.header("anthropic-workspace-id", workspaceId);
    assertVersion(header(request, "anthropic-version"));
    const wanted = header(request, "anthropic-workspace-id");
    if (wanted && wanted !== workspaceId) {
      throw new AppError("permission", `The API key does not belong to workspace \`${wanted}\`.`);
    }
  };
}

/** Without the beta the hosted API has no such routes, so neither has this one. Beta values unknown here do no harm. */
export async function requireManagedAgentsBeta(request: FastifyRequest): Promise<void> {
  const betas = header(request, "anthropic-beta")?.split(",") ?? [];
  if (betas.some((beta) => beta.trim() === MANAGED_AGENTS_BETA)) return;
  throw new AppError("not_found", `Send the header \`anthropic-beta: ${MANAGED_AGENTS_BETA}\` to use this endpoint.`);
}

function givenKey(request: FastifyRequest): string {
  const apiKey = header(request, "x-api-key");
  const authorization = header(request, "authorization");
  if (apiKey && authorization) {
    throw new AppError("authentication", "Send the API key as `Authorization: Bearer` or as `x-api-key`, not as both.");
  }
  const key = apiKey ?? /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (!key) {
    throw new AppError("authentication", "Send the API key as `Authorization: Bearer <key>` or as `x-api-key: <key>`.");
  }
  return key;
}

function assertVersion(version: string | undefined): void {
  if (version === undefined) throw invalid(`anthropic-version: header is required; send ${API_VERSIONS[0]}`);
  if (!API_VERSIONS.includes(version)) {
    throw invalid(`anthropic-version: \`${version}\` is not a valid version; send ${API_VERSIONS[0]}`);
  }
}

/** Good keys only, and by their hash: a guess must not push out a real one, and memory must not hold keys. */
function rememberBriefly(find: (key: string) => Promise<string | null>) {
  const remembered = new Map<string, { workspaceId: string; until: number }>();
  return async (key: string): Promise<string | null> => {
    const hash = createHash("sha256").update(key).digest("base64");
    const known = remembered.get(hash);
    if (known && known.until > Date.now()) return known.workspaceId;
    remembered.delete(hash);
    const workspaceId = await find(key);
    if (workspaceId === null) return null;
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= KEYS_REMEMBERED_MAX) remembered.delete(oldest);
    remembered.set(hash, { workspaceId, until: Date.now() + KEY_REMEMBERED_MS });
    return workspaceId;
  };
}
