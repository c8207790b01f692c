import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeckhandProcess } from "../../../bench/deckhand-process.ts";
import { bash, says } from "../../fakes/messages-answer.ts";
import { type GitServer, startGitServer } from "../../fakes/git-server.ts";
import { converse, newSession, type StreamedEvent, toolResults } from "../support/conversation.ts";
import { containerOf } from "../support/session-container.ts";
import { createTestHome, type TestHome } from "../support/test-home.ts";
import { type OutsideWorld, startOutsideWorld } from "./support/outside-world.ts";

const HOST = "git.test";
const GIT_AS = "git -c user.name=Agent -c user.email=agent@example.com";
const PUSH = `cd /workspace/widget && date +%N > file && git add file && ${GIT_AS} commit -qm`;

let world: OutsideWorld;
let server: GitServer;
let home: TestHome;
let deckhand: DeckhandProcess;
let client: Anthropic;

beforeAll(async () => {
  world = await startOutsideWorld("127.0.0.41", [HOST]);
  server = await startGitServer({ host: HOST, address: world.address, tls: world.authority.serverOptions(HOST) });
  home = await createTestHome(world.env);
  deckhand = await home.up(null, "0");
  client = new Anthropic({ baseURL: deckhand.url ?? "", apiKey: home.apiKey });
});
afterAll(async () => {
  await home.close();
  await server.stop();
  await world.stop();
});

it("a private repository is cloned, committed to and pushed from inside, and its token is nowhere there", async () => {
  const token = "ghp_canaryOfThePrivateRepository0001";
  await server.addRepository("acme/widget");
  server.allow(token, "acme/widget");
  const resource = repository("acme/widget", token);
  // Whatever the session's environment says of networks.
  const limited = await client.beta.environments.create({
    name: "closed",
    config: { type: "cloud", networking: { type: "limited", allowed_hosts: [] } },
  });
  const sessionId = await newSession(client, { environment_id: limited.id, resources: [resource] });
  const events = await play(
    sessionId,
    "push it",
    bash(`cd /workspace/widget && git log --format=%s && git remote -v && git config --list --show-origin`),
    bash(`${PUSH} "From inside" && git push -q origin HEAD && echo pushed`),
    bash(hunt(token)),
    bash(`curl -sS -o /dev/null -w '%{http_code}' ${server.url("acme/widget")}/settings`),
  );
  const [cloned, pushed, hunted, elsewhere] = toolResults(events);
  expect(cloned?.text).toContain("First\n");
  expect(cloned?.text).toContain(`origin\t${resource.url} (push)`);
  expect(pushed).toEqual({ text: "pushed\n", is_error: false });
  expect(await server.messages("acme/widget", "main")).toEqual(["From inside", "First"]);
  expect(hunted?.text).toMatch(/^looked at \d{3,} things\n$/);
  expect(elsewhere?.text).toContain("403");

  const container = await containerOf(home.home, sessionId);
  expect(await container.succeeds(`${hunt(token)} | grep -q '^looked at'`)).toBe(true);
  expect(await container.succeeds(`${hunt(token)} | grep -q 'found'`)).toBe(false);
  const told = JSON.stringify([events, await home.database.log(sessionId)]) + deckhand.process.output;
  for (const form of formsOf(token)) expect(told).not.toContain(form);
});

it("a token that is refused is told of, and one put in its place works in the session that runs", async () => {
  const [first, second] = ["ghp_canaryOfTheRotation0001", "ghp_canaryOfTheRotation0002"];
  await server.addRepository("acme/rotated");
  const resource = { ...repository("acme/rotated", first), mount_path: "/workspace/widget" };
  const sessionId = await newSession(client, { resources: [resource] });
  const [mounted] = (await client.beta.sessions.resources.list(sessionId)).data;
  if (mounted?.type !== "github_repository") throw new Error("The session lists no repository.");
  const rotate = (authorization_token: string) =>
    client.beta.sessions.resources.update(mounted.id, { session_id: sessionId, authorization_token });

  const refused = await play(sessionId, "no token fits", bash("ls /workspace; echo went on"));
  expect(repositoryErrors(refused)).toEqual([["repository_authentication_error", resource.url]]);
  expect(toolResults(refused)).toEqual([{ text: "went on\n", is_error: false }]);

  server.allow(first, "acme/rotated");
  const push = (message: string) => bash(`${PUSH} "${message}" && git push -q origin HEAD && echo pushed`);
  const cloned = await play(sessionId, "now it fits", push("One"));
  expect(repositoryErrors(cloned)).toEqual([]);
  expect(toolResults(cloned)).toEqual([{ text: "pushed\n", is_error: false }]);

  server.revoke(first);
  server.allow(second, "acme/rotated");
  const [revoked] = toolResults(await play(sessionId, "revoked", push("Two")));
  expect(revoked?.text).toMatch(/Authentication failed|could not read Username/);
  expect(await server.messages("acme/rotated", "main")).toEqual(["One", "First"]);

  await rotate(second);
  const [rotated] = toolResults(await play(sessionId, "rotated", bash("cd /workspace/widget && git push origin HEAD")));
  expect(rotated?.is_error).toBe(false);
  expect(await server.messages("acme/rotated", "main")).toEqual(["Two", "One", "First"]);
});

it("a token opens no other repository of its host", async () => {
  const token = "ghp_canaryOfOneRepositoryOnly0001";
  await server.addRepository("acme/own");
  await server.addRepository("acme/other");
  // The host would let it in.
  server.allow(token, "acme/own", "acme/other");
  const sessionId = await newSession(client, { resources: [repository("acme/own", token)] });
  const other = server.url("acme/other");
  const attempts = [other, `${server.url("acme/own")}/../other`, other.replace("//", "//x-access-token@")];
  const events = await play(
    sessionId,
    "reach out",
    bash(`git -C /workspace/own ls-remote origin; ${attempts.map((url) => `git ls-remote ${url}`).join("; ")}`),
  );
  expect(toolResults(events)[0]?.text.match(/refs\/heads\/main/g)).toHaveLength(1);
  const asked = server.requests.filter(({ path }) => path.includes("acme/other"));
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.map(({ status }) => status)).not.toContain(200);
  for (const { authorization = "" } of asked) expect(authorization).not.toContain(basic(token));
});

it("branches and commits are checked out, and what can't be had is told of, each in its kind", async () => {
  const token = "ghp_canaryOfManyRepositories0001";
  const names = ["branch", "pinned", "unbranched", "unknown-commit", "forbidden"].map((name) => `acme/${name}`);
  for (const name of names) await server.addRepository(name);
  server.allow(token, ...names.filter((name) => name !== "acme/forbidden"));
  await server.commit("acme/branch", "release/1", "Released");
  const pinned = await server.commit("acme/pinned", "main", "Second");
  await server.commit("acme/pinned", "main", "Third");
  const sessionId = await newSession(client, {
    resources: [
      { ...repository("acme/branch", token), checkout: { type: "branch", name: "release/1" } },
      { ...repository("acme/pinned", token), checkout: { type: "commit", sha: pinned } },
      { ...repository("acme/unbranched", token), checkout: { type: "branch", name: "missing" } },
      { ...repository("acme/unknown-commit", token), checkout: { type: "commit", sha: "1".repeat(40) } },
      repository("acme/nowhere", token),
      repository("acme/forbidden", token),
    ],
  });
  const look =
    "cd /workspace; ls; git -C branch branch --show-current; git -C branch log --format=%s; git -C pinned log --format=%s";
  const events = await play(sessionId, "look around", bash(look));
  expect(repositoryErrors(events)).toEqual([
    ["repository_checkout_error", server.url("acme/unbranched")],
    ["repository_checkout_error", server.url("acme/unknown-commit")],
    ["repository_not_found_error", server.url("acme/nowhere")],
    ["repository_forbidden_error", server.url("acme/forbidden")],
  ]);
  expect(toolResults(events)[0]?.text.split("\n")).toEqual([
    "branch",
    "pinned",
    "release/1",
    "Released",
    "First",
    "Second",
    "First",
    "",
  ]);
});

const repository = (name: string, token: string) => ({
  type: "github_repository" as const,
  url: server.url(name),
  authorization_token: token,
});

/** The agent makes these calls, one after the other, and then says that it is done. */
async function play(sessionId: string, text: string, ...answers: Parameters<TestHome["model"]["play"]>[1][]) {
  home.model.play(text, ...answers, says("Done."));
  return converse(client, sessionId, text);
}

function repositoryErrors(events: readonly StreamedEvent[]) {
  return events.flatMap((event) => {
    if (event.type !== "session.error") return [];
    return [[event.error.type, "repository_url" in event.error ? event.error.repository_url : null]];
  });
}

const basic = (token: string) => Buffer.from(`x-access-token:${token}`).toString("base64");
const formsOf = (token: string) => [token, Buffer.from(token).toString("base64"), basic(token)];

/**
 * A command that looks for a token wherever a process of the sandbox can, and itself holds none: environments and
 * arguments of all processes, git's configuration and every file that may have been written since the container began.
 */
function hunt(token: string): string {
  const reversed = formsOf(token).map((form) => [...form].toReversed().join(""));
  return `python3 -c '
import glob, os, sys
wanted = [text[::-1].encode() for text in ${JSON.stringify(reversed)}]
files = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
for top in ["/workspace", "/home", "/root", "/tmp", "/var/tmp", "/run", "/etc", "/mnt", "/opt"]:
    for folder, _, names in os.walk(top):
        files += [os.path.join(folder, name) for name in names]
seen = 0
for file in files:
    try:
        if not os.path.isfile(file): continue
        content = open(file, "rb").read()
    except OSError:
        continue
    seen += 1
    if any(one in content for one in wanted): print("found in", file)
print("looked at", seen, "things")
'`;
}
