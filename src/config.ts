import path from "node:path";
import { z } from "zod";
import { messageOf } from "./errors.ts";
import { LINK_KEY_CHARS_MIN } from "./files/file-link.ts";
import {
  gatewayConfig,
  type GatewayConfig,
  isolationVariables,
  sandboxConfig,
  type SandboxConfig,
} from "./isolation-config.ts";
import { ModelPrices } from "./models/model-price.ts";
import type { ModelInfo } from "./models/model-provider.ts";
import { OpenAiModels } from "./models/openai-models.ts";
import { isMasterKey } from "./secrets/master-key.ts";
import { Secret } from "./secrets/secret.ts";
import { slackConfig, type SlackConfig, slackProblems } from "./slack-config.ts";
import { isSafeUrl, teamsConfig, type TeamsConfig, teamsProblems } from "./teams-config.ts";

const Port = z.coerce.number().int().min(0).max(65535);
const Count = z.coerce.number().int().min(0).max(1000);
const DurationMs = z.coerce.number().int().min(100).max(3_600_000);
const Url = (protocols: string[]) =>
  z.string().refine((value) => protocols.includes(URL.parse(value)?.protocol.slice(0, -1) ?? ""), {
    message: `must be a ${protocols.map((name) => `${name}://`).join(" or ")} URL`,
  });
/** Set but empty means unset: compose files and unit files often pass `NAME=`. */
const optional = <Value extends z.ZodType>(value: Value) =>
  z.preprocess((given) => (given === "" ? undefined : given), value.optional());
const withDefault = <Value extends z.ZodType>(value: Value, fallback: string) =>
  z.preprocess((given) => (given === undefined || given === "" ? fallback : given), value);

/** A key that others must not see, not even in an error about it. */
const SecretText = (text: z.ZodType<string>) => text.transform((value) => new Secret(value));
const PLAIN_URL = "must have no user, password, query or fragment; a key goes into OPENAI_API_KEY";
const MasterKey = z.string().refine(isMasterKey, {
  message: "must be 32 bytes in base64, as `openssl rand -base64 32` makes them",
});
const MasterKeys = z
  .string()
  .transform((text) => text.split(",").flatMap((key) => key.trim() || []))
  .pipe(z.array(MasterKey.transform((key) => new Secret(key))));
const Json = <Value extends z.ZodType>(value: Value) => z.string().transform(parseJson).pipe(value);

const Token = (prefix: string) =>
  SecretText(z.string().refine((text) => text.startsWith(prefix), { message: `must begin with ${prefix}` }));

/** Where tokens go, or where what is believed of them comes from. */
const SafeUrl = z.string().refine(isSafeUrl, { message: "must be an https:// URL, or http:// on this machine" });
const Switch = z.enum(["0", "1"]);
const CHANNEL_SERVICES = [
  "https://botframework.azure.us",
  "https://apiDoD.botframework.azure.us",
  "https://botframework.azure.cn",
];

const Environment = z
  .object({
    HOST: withDefault(z.string(), "127.0.0.1"),
    PORT: withDefault(Port, "4100"),
    LOG_LEVEL: withDefault(z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]), "info"),
    DECKHAND_HOME: optional(z.string()),
    DECKHAND_API_KEY: optional(z.string().min(16)),
    DECKHAND_URL: optional(Url(["http", "https"])),
    DECKHAND_PUBLIC_URL: optional(Url(["http", "https"])),
    DECKHAND_LINK_KEY: optional(SecretText(z.string().min(LINK_KEY_CHARS_MIN))),
    DECKHAND_MASTER_KEY: optional(SecretText(MasterKey)),
    DECKHAND_MASTER_KEY_PREVIOUS: optional(MasterKeys),
    DATABASE_URL: optional(Url(["postgresql", "postgres"])),
    REDIS_URL: optional(Url(["redis", "rediss"])),
    DOCKER_HOST: optional(z.string()),
    ANTHROPIC_API_KEY: optional(z.string()),
    ANTHROPIC_BASE_URL: optional(Url(["http", "https"])),
    OPENAI_BASE_URL: optional(Url(["http", "https"]).refine(isPlainUrl, { message: PLAIN_URL })),
    OPENAI_API_KEY: optional(SecretText(z.string())),
    OPENAI_MODELS: optional(OpenAiModels),
    DECKHAND_MODEL: optional(z.string()),
    DECKHAND_MODEL_PRICES: withDefault(Json(ModelPrices), "{}"),
    DECKHAND_RUNTIME_USD_PER_HOUR: withDefault(z.coerce.number().min(0).max(1000), "0.08"),
    DECKHAND_LEASE_MS: withDefault(DurationMs, "2000"),
    DECKHAND_WORKER_CONCURRENCY: withDefault(Count.min(1), "32"),
    ...isolationVariables,
    SLACK_BOT_TOKEN: optional(Token("xoxb-")),
    SLACK_APP_TOKEN: optional(Token("xapp-")),
    SLACK_SIGNING_SECRET: optional(SecretText(z.string())),
    SLACK_CLIENT_ID: optional(z.string()),
    SLACK_CLIENT_SECRET: optional(SecretText(z.string())),
    SLACK_STATE_SECRET: optional(SecretText(z.string().min(16))),
    SLACK_ALLOWED_TEAMS: optional(z.string()),
    SLACK_REDIRECT_URI: optional(Url(["https", "http"])),
    SLACK_API_URL: withDefault(Url(["https", "http"]), "https://slack.com/api/"),
    SLACK_HOST: withDefault(z.string(), "127.0.0.1"),
    SLACK_PORT: withDefault(Port, "4110"),
    SLACK_STREAMING: withDefault(z.enum(["auto", "off"]), "auto"),
    MICROSOFT_APP_ID: optional(z.string()),
    MICROSOFT_APP_PASSWORD: optional(SecretText(z.string())),
    MICROSOFT_APP_TYPE: withDefault(z.enum(["SingleTenant", "MultiTenant", "UserAssignedMSI"]), "SingleTenant"),
    MICROSOFT_APP_TENANT_ID: optional(z.string()),
    MICROSOFT_APP_CERTIFICATE: optional(z.string()),
    CHANNEL_SERVICE: optional(z.enum(CHANNEL_SERVICES)),
    TEAMS_ALLOWED_TENANTS: optional(z.string()),
    TEAMS_ALLOW_ANONYMOUS: withDefault(Switch, "0"),
    TEAMS_HOST: withDefault(z.string(), "127.0.0.1"),
    TEAMS_PORT: withDefault(Port, "3978"),
    TEAMS_GRAPH: withDefault(Switch, "0"),
    TEAMS_GRAPH_URL: optional(SafeUrl),
    TEAMS_LOGIN_URL: optional(SafeUrl),
    TEAMS_OPENID_METADATA_URL: optional(SafeUrl),
  })
  .superRefine((given, context) => {
    for (const { variable, message } of [...openAiProblems(given), ...slackProblems(given), ...teamsProblems(given)])
      context.addIssue({ code: "custom", path: [variable], message });
  });

/** What the process was told by its environment. Durations are in ms, sizes in the unit that ends the name. */
export interface Config {
  host: string;
  port: number;
  logLevel: string;
  /** Where all state lives, absolute. */
  home: string;
  apiKey: string | null;
  /** Where the API is, for roles that run apart from it. */
  apiUrl: string | null;
  /** Where people's browsers find the API; null when that is where it listens. */
  publicUrl: string | null;
  /** Signs links to files; null for one of the home's own. */
  linkKey: Secret | null;
  /** What secrets are encrypted with, 32 bytes in base64; null for one of the home's own. */
  masterKey: Secret | null;
  /** What they were encrypted with before, or will be: only read with. */
  masterKeysPrevious: readonly Secret[];
  databaseUrl: string | null;
  redisUrl: string | null;
  dockerHost: string | null;
  anthropic: { apiKey: string | null; baseUrl: string | null };
  /** A server that speaks OpenAI's chat completions; null when there is none. */
  openAi: { baseUrl: string; apiKey: Secret | null; models: readonly ModelInfo[] } | null;
  /** The model of the agent that chat threads get. */
  defaultModel: string | null;
  /** Take the place of the list prices that are known. */
  modelPrices: ModelPrices;
  runtimeUsdPerHour: number;
  leaseMs: number;
  workerConcurrency: number;
  sandbox: SandboxConfig;
  gateway: GatewayConfig;
  /** Null when there is no Slack. */
  slack: SlackConfig | null;
  /** Null when there is no Teams. */
  teams: TeamsConfig | null;
}

/** Every bad variable at once, one line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * The only reader of the environment.
 * @param root the checkout, which a relative or absent `DECKHAND_HOME` is under
 * @throws ConfigError that names each variable that can't be used
 */
export function loadConfig(root: string, env: Record<string, string | undefined> = process.env): Config {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(`These settings can't be used:\n${lines.join("\n")}`);
  }
  const given = parsed.data;
  return Object.freeze({
    host: given.HOST,
    port: given.PORT,
    logLevel: given.LOG_LEVEL,
    home: path.resolve(root, given.DECKHAND_HOME ?? ".deckhand"),
    apiKey: given.DECKHAND_API_KEY ?? null,
    apiUrl: given.DECKHAND_URL ?? null,
    publicUrl: given.DECKHAND_PUBLIC_URL ?? null,
    linkKey: given.DECKHAND_LINK_KEY ?? null,
    masterKey: given.DECKHAND_MASTER_KEY ?? null,
    masterKeysPrevious: given.DECKHAND_MASTER_KEY_PREVIOUS ?? [],
    databaseUrl: given.DATABASE_URL ?? null,
    redisUrl: given.REDIS_URL ?? null,
    dockerHost: given.DOCKER_HOST ?? null,
    anthropic: { apiKey: given.ANTHROPIC_API_KEY ?? null, baseUrl: given.ANTHROPIC_BASE_URL ?? null },
    openAi:
      given.OPENAI_BASE_URL && given.OPENAI_MODELS
        ? { baseUrl: given.OPENAI_BASE_URL, apiKey: given.OPENAI_API_KEY ?? null, models: given.OPENAI_MODELS }
        : null,
    defaultModel: given.DECKHAND_MODEL ?? null,
    modelPrices: given.DECKHAND_MODEL_PRICES,
    runtimeUsdPerHour: given.DECKHAND_RUNTIME_USD_PER_HOUR,
    leaseMs: given.DECKHAND_LEASE_MS,
    workerConcurrency: given.DECKHAND_WORKER_CONCURRENCY,
    sandbox: sandboxConfig(given),
    gateway: gatewayConfig(given),
    slack: slackConfig(given),
    teams: teamsConfig(given),
  });
}

/** A key by itself is nobody's mistake: other programs read it too. */
function openAiProblems({ OPENAI_BASE_URL, OPENAI_MODELS }: { OPENAI_BASE_URL?: unknown; OPENAI_MODELS?: unknown }) {
  if (OPENAI_BASE_URL && !OPENAI_MODELS)
    return [{ variable: "OPENAI_MODELS", message: "must list the models of OPENAI_BASE_URL, such as qwen3:8b:40960" }];
  if (OPENAI_MODELS && !OPENAI_BASE_URL)
    return [{ variable: "OPENAI_BASE_URL", message: "must say where the models of OPENAI_MODELS are" }];
  return [];
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && `${url.username}${url.password}${url.search}${url.hash}` === "";
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    context.addIssue(`must be JSON: ${messageOf(error)}`);
    return z.NEVER;
  }
}

/** The id of the Teams app alone, for what needs no credentials: it is there before they are. */
export function teamsAppId(env: Record<string, string | undefined> = process.env): string | null {
  return env["MICROSOFT_APP_ID"] || null;
}
