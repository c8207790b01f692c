import { attemptsIn } from "./attempt.ts";
import type { Canaries } from "./canaries.ts";
import type { Heard } from "./hosts.ts";
import type { BoxedSession, Result } from "./session-in-box.ts";
import type { World } from "./world.ts";

const PLACEHOLDER = "deckhand_placeholder_";
const STATUS_LINE = /HTTP\/1\.[01] (\d{3})/g;
const DENIED = /^x-deckhand-denied: *(\w+)/im;

/** One attempt from inside: an expression of Python, in which `a` is the path of its own that it asks for. */
export type SandboxAttempt = (attempt: string, expected: string, code: string | (() => string)) => void;

let attempts = 0;

/** Attempts of one area that are made together, in one call of a tool, when the first of them is asked about. */
export function sandboxAttempts(area: string, world: () => World, session: () => BoxedSession): SandboxAttempt {
  const declare = attemptsIn(area);
  const given: { id: number; code: string | (() => string) }[] = [];
  let made: Promise<Result[]> | null = null;
  const make = async () =>
    session().attempt(given.map(({ id, code }) => ({ id, code: typeof code === "string" ? code : code() })));

  return (attempt, expected, code) => {
    const id = (attempts += 1);
    given.push({ id, code });
    declare(attempt, expected, async () => {
      const result = (await (made ??= make())).find((one) => one.id === id);
      if (!result) throw new Error("There is no result.");
      const outcome = outcomeOf(result, world());
      if (outcome !== expected) throw new Error(`${outcome}\n${result.out}`);
      return outcome;
    });
  };
}

/** One by itself, now. */
export async function attemptNow(code: string, world: World, session: BoxedSession): Promise<string> {
  const [result] = await session.attempt([{ id: (attempts += 1), code }]);
  if (!result) throw new Error("There is no result.");
  return outcomeOf(result, world);
}

/** What the sandbox was answered, and what came to which host. What the attempt prints itself, when it asks nobody. */
function outcomeOf({ id, found, out }: Result, { hosts, canaries }: Pick<World, "hosts" | "canaries">): string {
  const leak =
    found || canaries.findIn(Buffer.from(out, "latin1")).length > 0 ? "LEAK: the sandbox saw a secret; " : "";
  const own = new RegExp(`/a${id}(?![0-9])`);
  const heard = hosts.heard.filter(({ target, body }) => own.test(target) || own.test(body));
  const statuses = [...out.matchAll(STATUS_LINE)].map(([, status]) => status);
  const rule = DENIED.exec(out)?.[1];
  if (statuses.length === 0 && heard.length === 0) return `${leak}${out.trim() || "closed; nothing arrived"}`;
  const answer = [statuses.at(-1) ?? "no answer", ...(rule ? [rule] : [])].join(" ");
  const arrived = [...new Set(heard.map((one) => whatArrived(one, canaries)))].sort();
  return `${leak}${answer}; ${arrived.join(", ") || "nothing arrived"}`;
}

function whatArrived({ host, secure, target, headers, body }: Heard, canaries: Canaries): string {
  const values = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const places: [string, string][] = [["the target", target], ...values, ["the body", body]];
  places.push(["the name of a header", values.map(([name]) => name).join("\n")]);
  const got = places.flatMap(([place, text]) => {
    if (canaries.isIn(Buffer.from(text, "latin1"))) return [`the secret in ${place}`];
    return decoded(text).includes(PLACEHOLDER) ? [`the placeholder in ${place}`] : [];
  });
  return `${host}${secure ? "" : " (plain http)"} got ${got.join(" and ") || "neither"}`;
}

const decoded = (text: string) => {
  const basic = /^basic (.*)$/i.exec(text)?.[1];
  return basic ? Buffer.from(basic, "base64").toString("latin1") : text;
};
