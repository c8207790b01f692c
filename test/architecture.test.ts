import path from "node:path";
import { describe, expect, it } from "vitest";
import { violationsIn } from "./support/house-rules.ts";
import { importsOf, readTree } from "./support/import-graph.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const tree = readTree(ROOT, ["src", "bots", "workers", "demo", "bench", "test"]);

describe("the house", () => {
  it("keeps its rules about imports, names and the environment", () => {
    expect(violationsIn(tree)).toEqual([]);
  });

  it("is looked at whole: imports lead to files that were read, or to generated code", () => {
    const inside = importsOf(tree).filter(({ to }) => /^(src|bots|workers|demo|bench|test)\/.*\.ts$/.test(to));
    expect(inside.length).toBeGreaterThan(tree.size);
    expect(inside.filter(({ to }) => !tree.has(to) && !to.startsWith("src/generated/"))).toEqual([]);
  });
});

describe("a planted violation is found", () => {
  it.each<[string, Record<string, string>, string]>([
    [
      "code that imports a test",
      { "src/ids.ts": 'import { fake } from "../test/fakes/clock.ts";' },
      "src/ids.ts → test/fakes/clock.ts: nothing imports test/",
    ],
    [
      "a schema with behaviour",
      { "src/schemas/event.ts": 'import { z } from "zod";\nimport { invalid } from "../errors.ts";' },
      "src/schemas/event.ts → src/errors.ts: schemas import zod and each other",
    ],
    [
      "a database in the pure loop",
      {
        "src/harness/loop.ts":
          'import type { EventLog } from "../sessions/event-log.ts";\nimport { createDatabase } from "../database.ts";',
      },
      "src/harness/loop.ts → src/database.ts: the pure part of the harness runs on schemas, errors and itself",
    ],
    [
      "a driver's type in the pure loop",
      { "src/harness/context.ts": 'import type pg from "pg";' },
      "src/harness/context.ts → pg (type): the pure part of the harness knows no package but zod",
    ],
    [
      "a secret near a sandbox",
      { "src/sandbox/docker.ts": 'import {\n  type Credential,\n} from "../vaults/vaults.ts";' },
      "src/sandbox/docker.ts → src/vaults/vaults.ts (type): sandbox knows no vault, session, model or harness",
    ],
    [
      "a store of a bot that holds the key",
      { "bots/slack/installation-store.ts": 'import { createLocalCipher } from "../../src/secrets/local-cipher.ts";' },
      "bots/slack/installation-store.ts → src/secrets/local-cipher.ts: a store of the bots imports the database, the port to the cipher and no other part of src/",
    ],
    [
      "an API that loads the harness late",
      { "src/api/routes/sessions.ts": 'const run = await import("../../harness/run-session.ts");' },
      "src/api/routes/sessions.ts → src/harness/run-session.ts (lazy): api imports no harness, sandbox, models, bots or workers",
    ],
    [
      "a bot that goes around the API",
      { "bots/slack/surface.ts": 'import { createSessions } from "../../src/sessions/sessions.ts";' },
      "bots/slack/surface.ts → src/sessions/sessions.ts: of src/, bots import schemas, errors, ids and log",
    ],
    [
      "a bot that knows another bot",
      { "bots/teams/cards.ts": 'import { blocks } from "../slack/blocks.ts";' },
      "bots/teams/cards.ts → bots/slack/blocks.ts: a bot imports bots/shared, never another bot",
    ],
    [
      "Microsoft's bot SDK on the way of a message",
      { "bots/teams/surface.ts": 'import type { Activity } from "botframework-schema";' },
      "bots/teams/surface.ts → botframework-schema (type): only bots/teams/connector.ts knows Microsoft's bot SDK, which is at its end",
    ],
    [
      "rules that query",
      { "src/agents/agents.ts": 'import type { PrismaClient } from "../generated/client.ts";' },
      "src/agents/agents.ts → src/generated/client.ts (type): only *-store.ts, sessions/ and the database touch Prisma",
    ],
    [
      "a domain that knows its caller",
      { "src/queue/jobs.ts": 'import { sweep } from "../../workers/sweep.ts";' },
      "src/queue/jobs.ts → workers/sweep.ts: only the composition root knows bots and workers",
    ],
    [
      "a cycle",
      {
        "src/a.ts": 'export { b } from "./b.ts";',
        "src/b.ts": 'import { c } from "./c.ts";\nimport type { A } from "./a.ts";',
        "src/c.ts": 'import { a } from "./a.ts";',
      },
      "src/a.ts → src/b.ts → src/c.ts → src/a.ts: no cycles",
    ],
    ["a name in camel case", { "src/eventLog.ts": "" }, "src/eventLog.ts: names are kebab-case"],
    ["a name that says nothing", { "src/string-utils.ts": "" }, "src/string-utils.ts: a file is named for its idea"],
    ["a barrel", { "src/files/index.ts": "" }, "src/files/index.ts: no barrels"],
    [
      "a setting read on the side",
      { "src/files/local-disk.ts": 'const home = process.env["HOME"];' },
      "src/files/local-disk.ts: only src/config.ts reads process.env",
    ],
  ])("%s", (_, files, violation) => {
    expect(violationsIn(new Map(Object.entries(files)))).toEqual([violation]);
  });

  it("and what the rules allow is not", () => {
    const files = {
      "src/harness/loop.ts":
        'import type { EventLog } from "../sessions/event-log.ts";\nimport { next } from "./intake.ts";',
      "src/sessions/event-log.ts": 'import pg from "pg";\nimport type { State } from "../harness/loop.ts";',
      "src/agents/agent-store.ts": 'import type { PrismaClient } from "../generated/client.ts";',
      "bots/teams/connector.ts": 'const sdk = await import("botbuilder");',
      "bots/slack/surface.ts": 'import { render } from "../shared/render.ts";\nimport bolt from "@slack/bolt";',
      "test/sessions/event-log.int.test.ts": 'import { createEventLog } from "../../src/sessions/event-log.ts";',
    };
    expect(violationsIn(new Map(Object.entries(files)))).toEqual([]);
  });
});
