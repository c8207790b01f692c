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
      });
    expect(load).toThrow(ConfigError);
    for (const name of ["PORT", "DATABASE_URL", "REDIS_URL", "DECKHAND_API_KEY", "DECKHAND_LEASE_MS", "LOG_LEVEL"]) {
      expect(load).toThrow(new RegExp(`^  ${name}: `, "m"));
    }
  });

  it("never repeats a secret that it refuses", () => {
    expect(() => loadConfig("/srv", { DECKHAND_API_KEY: "hunter2" })).not.toThrow(/hunter2/);
  });

  it("can't be changed", () => {
    expect(Object.isFrozen(loadConfig("/srv", {}))).toBe(true);
  });
});
