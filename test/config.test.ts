import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../src/config.ts";

describe("the configuration", () => {
  it("has a default for everything, on loopback and below the checkout", () => {
    expect(loadConfig("/srv/deckhand", {})).toMatchObject({
      host: "127.0.0.1",
      port: 4100,
      home: "/srv/deckhand/.deckhand",
      databaseUrl: null,
      redisUrl: null,
      apiKey: null,
      anthropic: { apiKey: null, baseUrl: null },
    });
  });

  it("takes what is set, and an empty value as not set", () => {
    const config = loadConfig("/srv", {
      PORT: "0",
      DECKHAND_HOME: "/var/lib/deckhand",
      DATABASE_URL: "postgresql://db/deckhand",
      REDIS_URL: "",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9000",
      HOST: "",
    });
    expect(config).toMatchObject({
      port: 0,
      host: "127.0.0.1",
      home: "/var/lib/deckhand",
      databaseUrl: "postgresql://db/deckhand",
      redisUrl: null,
      anthropic: { baseUrl: "http://127.0.0.1:9000" },
    });
  });

  it("names every variable that can't be used, at once", () => {
    const load = () =>
      loadConfig("/srv", {
        PORT: "99999",
        DATABASE_URL: "mysql://db",
        REDIS_URL: "not a url",
        DECKHAND_API_KEY: "short",
        DECKHAND_LEASE_MS: "5",
        LOG_LEVEL: "loud",
        DECKHAND_PUBLIC_URL: "files.example.com",
        DECKHAND_LINK_KEY: "short",
        DECKHAND_MASTER_KEY: Buffer.alloc(31).toString("base64"),
        DECKHAND_RUNTIME_USD_PER_HOUR: "-1",
        DECKHAND_MODEL_PRICES: "{",
      });
    expect(load).toThrow(ConfigError);
    for (const name of [
      "PORT",
      "DATABASE_URL",
      "REDIS_URL",
      "DECKHAND_API_KEY",
      "DECKHAND_LEASE_MS",
      "LOG_LEVEL",
      "DECKHAND_PUBLIC_URL",
      "DECKHAND_LINK_KEY",
      "DECKHAND_MASTER_KEY",
      "DECKHAND_RUNTIME_USD_PER_HOUR",
      "DECKHAND_MODEL_PRICES",
    ]) {
      expect(load).toThrow(new RegExp(`^  ${name}: `, "m"));
    }
  });

  it("takes models of one's own, whose ids may have colons, and their key as a secret", () => {
    const config = loadConfig("/srv", {
      OPENAI_BASE_URL: "http://ollama:11434/v1",
      OPENAI_API_KEY: "sk-of-my-own",
      OPENAI_MODELS: "qwen3:8b:40960, meta-llama/Llama-3.1-8B ,phi:3:8192,",
    });
    expect(config.openAi).toMatchObject({
      baseUrl: "http://ollama:11434/v1",
      models: [
        { id: "qwen3:8b", contextWindowTokens: 40_960, price: null },
        { id: "meta-llama/Llama-3.1-8B", contextWindowTokens: 32_768 },
        { id: "phi:3", contextWindowTokens: 8_192 },
      ],
    });
    expect(config.openAi?.apiKey?.reveal()).toBe("sk-of-my-own");
    expect(inspect(config)).not.toContain("sk-of-my-own");
    expect(loadConfig("/srv", { OPENAI_API_KEY: "for other programs" }).openAi).toBeNull();
  });

  it.each([
    [{ OPENAI_BASE_URL: "http://ollama/v1" }, "OPENAI_MODELS: must list the models"],
    [{ OPENAI_MODELS: "a" }, "OPENAI_BASE_URL: must say where"],
    [{ OPENAI_BASE_URL: "http://ollama/v1", OPENAI_MODELS: "," }, "OPENAI_MODELS: must list models"],
    [{ OPENAI_BASE_URL: "http://ollama/v1", OPENAI_MODELS: "phi:3" }, "OPENAI_MODELS: phi: the number at the end"],
    [{ OPENAI_BASE_URL: "http://ollama/v1", OPENAI_MODELS: "a,a:8192" }, "OPENAI_MODELS: lists a twice"],
    [{ OPENAI_BASE_URL: "ftp://ollama/v1", OPENAI_MODELS: "a" }, "OPENAI_BASE_URL: must be a http"],
    [{ OPENAI_BASE_URL: "http://me:key@ollama/v1", OPENAI_MODELS: "a" }, "OPENAI_BASE_URL: must have no user"],
  ])("says what %o lacks", (env, line) => {
    expect(() => loadConfig("/srv", env)).toThrow(`  ${line}`);
  });

  it("takes prices of models, and what a cache costs as what the input does", () => {
    const prices = '{"local":{"input":0.01875,"output":0.5},"big":{"input":5,"output":25,"cache_read":0.5}}';
    expect(loadConfig("/srv", { DECKHAND_MODEL_PRICES: prices, DECKHAND_RUNTIME_USD_PER_HOUR: "0" })).toMatchObject({
      modelPrices: {
        local: { input: 0.01875, output: 0.5, cache_write_5m: 0.01875, cache_write_1h: 0.01875, cache_read: 0.01875 },
        big: { input: 5, output: 25, cache_write_5m: 5, cache_write_1h: 5, cache_read: 0.5 },
      },
      runtimeUsdPerHour: 0,
    });
    expect(loadConfig("/srv", {})).toMatchObject({ modelPrices: {}, runtimeUsdPerHour: 0.08 });
  });

  it.each([
    ['{"a":{"input":1}}', "DECKHAND_MODEL_PRICES.a.output: "],
    ['{"a":{"input":-1,"output":1}}', "DECKHAND_MODEL_PRICES.a.input: "],
    ['{"a":{"input":0.000001,"output":1}}', "DECKHAND_MODEL_PRICES.a.input: must have at most 5 decimals"],
    ['{"a":{"input":1,"output":1,"cached":1}}', 'DECKHAND_MODEL_PRICES.a: Unrecognized key: "cached"'],
    ["[]", "DECKHAND_MODEL_PRICES: "],
  ])("says which price of %s can't be used", (prices, line) => {
    expect(() => loadConfig("/srv", { DECKHAND_MODEL_PRICES: prices })).toThrow(line);
  });

  it("never repeats a secret that it refuses", () => {
    for (const name of [
      "DECKHAND_API_KEY",
      "DECKHAND_LINK_KEY",
      "DECKHAND_MASTER_KEY",
      "DECKHAND_MASTER_KEY_PREVIOUS",
    ]) {
      expect(() => loadConfig("/srv", { [name]: "hunter2" })).not.toThrow(/hunter2/);
    }
  });

  it("never shows the keys that it took", () => {
    const masterKey = Buffer.alloc(32, 7).toString("base64");
    const config = loadConfig("/srv", { DECKHAND_LINK_KEY: "hunter2".repeat(5), DECKHAND_MASTER_KEY: masterKey });
    expect(inspect(config) + JSON.stringify(config)).not.toMatch(/hunter2|BwcHBw/);
    expect(config.masterKey?.reveal()).toBe(masterKey);
  });

  it("can't be changed", () => {
    expect(Object.isFrozen(loadConfig("/srv", {}))).toBe(true);
  });
});

describe("the configuration of Slack", () => {
  const slack = (env: Record<string, string>) => loadConfig("/srv", env).slack;
  const open = { SLACK_CLIENT_ID: "1.2", SLACK_CLIENT_SECRET: "shh", SLACK_STATE_SECRET: "0123456789abcdef" };
  const oauth = { ...open, SLACK_ALLOWED_TEAMS: "T01, E01,," };

  it("is off when nothing is set, and Socket Mode goes first when both transports are", () => {
    expect(slack({})).toBeNull();
    expect(slack({ SLACK_BOT_TOKEN: "xoxb-1", SLACK_APP_TOKEN: "xapp-1", SLACK_SIGNING_SECRET: "s" })).toMatchObject({
      apiUrl: "https://slack.com/api/",
      transport: { type: "socket" },
      workspaces: { type: "token" },
      host: "127.0.0.1",
      port: 4110,
      streaming: "auto",
    });
    expect(slack({ ...oauth, SLACK_SIGNING_SECRET: "s", SLACK_PORT: "8080" })).toMatchObject({
      transport: { type: "http" },
      workspaces: { type: "oauth", clientId: "1.2", allowedTeams: ["T01", "E01"], redirectUri: null },
      port: 8080,
    });
    expect(slack({ ...open, SLACK_ALLOWED_TEAMS: "*", SLACK_SIGNING_SECRET: "s" })).toMatchObject({
      workspaces: { allowedTeams: null },
    });
  });

  it.each([
    ["no transport", { SLACK_BOT_TOKEN: "xoxb-1" }, ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"]],
    ["no workspace", { SLACK_APP_TOKEN: "xapp-1" }, ["SLACK_BOT_TOKEN", "SLACK_CLIENT_ID"]],
    [
      "half of OAuth",
      { SLACK_SIGNING_SECRET: "s", SLACK_CLIENT_ID: "1.2" },
      ["SLACK_CLIENT_SECRET", "SLACK_STATE_SECRET"],
    ],
    ["OAuth for whoever comes", { ...open, SLACK_SIGNING_SECRET: "s" }, ["SLACK_ALLOWED_TEAMS: is missing"]],
    [
      "a team by its name",
      { ...open, SLACK_SIGNING_SECRET: "s", SLACK_ALLOWED_TEAMS: "T01,acme" },
      ["SLACK_ALLOWED_TEAMS: must be team ids", "not acme"],
    ],
    ["both kinds of workspace", { ...oauth, SLACK_SIGNING_SECRET: "s", SLACK_BOT_TOKEN: "xoxb-1" }, ["unset one"]],
    ["a token in the wrong place", { SLACK_BOT_TOKEN: "xapp-1", SLACK_APP_TOKEN: "xapp-1" }, ["must begin with xoxb-"]],
  ])("names what is wrong: %s", (_, env, names) => {
    for (const name of names) expect(() => slack(env)).toThrow(name);
  });

  it("never prints a token", () => {
    const config = slack({ SLACK_BOT_TOKEN: "xoxb-secret", SLACK_APP_TOKEN: "xapp-secret" });
    expect(`${JSON.stringify(config)}${inspect(config, { depth: null })}`).not.toContain("secret");
  });
});
