import { readFile } from "node:fs/promises";
import path from "node:path";
import type Anthropic from "@anthropic-ai/sdk";
import { z } from "zod";
import { MODEL } from "../../../bench/names.ts";
import { converse, toolResults } from "../../e2e/support/conversation.ts";
import type { ScriptedModel } from "../../e2e/support/scripted-model.ts";
import { bash, says } from "../../fakes/messages-answer.ts";

const PROGRAM = path.join(import.meta.dirname, "secret_attempts.py");
const HALF = 5;

type SessionCreateParams = Parameters<Anthropic["beta"]["sessions"]["create"]>[0];
type EnvironmentConfig = NonNullable<Parameters<Anthropic["beta"]["environments"]["create"]>[0]["config"]>;
/** The part that says what may be reached. */
export type Networking = NonNullable<Extract<EnvironmentConfig, { type: "cloud" }>["networking"]>;

/** What came of one attempt inside of a sandbox. */
const Result = z.object({ id: z.number(), found: z.boolean(), out: z.string() });
export type Result = z.infer<typeof Result>;

/** A session whose model runs what a test says. */
export interface BoxedSession {
  readonly id: string;
  readonly environmentId: string;
  /** What a command prints in its sandbox. */
  bash(command: string): Promise<string>;
  /** Evaluates expressions of Python inside, with all of `secret_attempts.py` at hand. */
  attempt(attempts: readonly { id: number; code: string }[]): Promise<Result[]>;
}

export interface BoxedSessions {
  open(networking: Networking, more?: Partial<SessionCreateParams>): Promise<BoxedSession>;
}

/** @param mark what is looked for inside of sandboxes */
export async function createBoxedSessions(
  client: Anthropic,
  model: ScriptedModel,
  mark: string,
): Promise<BoxedSessions> {
  const tools = [{ type: "agent_toolset_20260401" as const }];
  const agent = await client.beta.agents.create({ name: "hunter", model: MODEL, tools });
  const source = await readFile(PROGRAM, "utf8");
  const program = source.replace("@HALF@", mark.slice(0, HALF)).replace("@OTHER_HALF@", mark.slice(HALF));
  let messages = 0;

  return {
    async open(networking, more = {}) {
      const config = { type: "cloud" as const, networking };
      const environment = await client.beta.environments.create({ name: "box", config });
      const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id, ...more });
      const run = async (command: string) => {
        const text = `command ${(messages += 1)}`;
        model.play(text, bash(command), says("Done."));
        const results = toolResults(await converse(client, session.id, text));
        return results.map((result) => result.text).join("\n");
      };
      let written: Promise<string> | null = null;
      return {
        id: session.id,
        environmentId: environment.id,
        bash: run,
        async attempt(attempts) {
          await (written ??= run(`cat >/tmp/attempts.py <<'END_OF_PROGRAM'\n${program}END_OF_PROGRAM`));
          const printed = await run(
            `python3 /tmp/attempts.py <<'END_OF_ATTEMPTS'\n${JSON.stringify(attempts)}\nEND_OF_ATTEMPTS`,
          );
          const lines = printed.split("\n").filter((line) => line.startsWith("{"));
          if (lines.length !== attempts.length) throw new Error(`The attempts could not be made:\n${printed}`);
          return lines.map((line) => Result.parse(JSON.parse(line)));
        },
      };
    },
  };
}
