import { afterAll, beforeAll, expect, it } from "vitest";
import { bash, gate, says } from "../../fakes/messages-answer.ts";
import { type FakeTeams, startFakeTeams } from "../../fakes/teams-connector.ts";
import { FILE_CONSENT } from "../../fakes/teams/activity-rules.ts";
import { freePort } from "../../../src/embedded/free-port.ts";
import { createTestHome, type TestHome } from "../support/test-home.ts";
import { linksIn, summaryOf, textOf } from "./support/seen-thread.ts";

const WAIT_MS = 60_000;

let home: TestHome;
let teams: FakeTeams;
let endpoint: string;
let output: () => string;
/** One `deckhand up` with nothing set but the mode; what speaks to it is a program of this machine without any token. */
beforeAll(async () => {
  teams = await startFakeTeams({ anonymous: true });
  const port = String(await freePort());
  home = await createTestHome({ TEAMS_ALLOW_ANONYMOUS: "1", TEAMS_PORT: port });
  const { process } = await home.up(null, "0");
  output = () => process.output;
  endpoint = `http://127.0.0.1:${port}/api/messages`;
});
afterAll(async () => {
  await home?.close();
  await teams?.close();
});

it("an activity with a loopback serviceUrl leads to typing, a stream, a status, an answer and a file offer there", async () => {
  const held = gate();
  const made = { ...bash("printf 'a,b\\n' > /mnt/session/outputs/table.csv"), before: held };
  home.model.play("make a table", made, says("Here is ", "your ", "table."));
  const activity = {
    type: "message",
    id: "1",
    channelId: "msteams",
    serviceUrl: teams.serviceUrl,
    from: { id: "29:1-alice", name: "Alice" },
    recipient: { id: "28:bot", name: "Deckhand" },
    conversation: { id: "a:personal-alice", conversationType: "personal" },
    text: "make a table",
  };
  const headers = { "content-type": "application/json" };
  const posted = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(activity) });
  expect(posted.status).toBe(200);
  expect(output()).toContain("anyone on this machine");

  const written = () => teams.written("alice");
  const until = <Found>(what: string, probe: () => Found | undefined | false) => teams.until(what, probe, WAIT_MS);
  await until("typing", () => teams.callsTo("send").some(({ body }) => Object(body).type === "typing"));
  const status = await until("the status", () => written().find((each) => summaryOf(each).includes("Working")));
  held.open();
  await until("the answer", () => written().some((each) => textOf(each) === "Here is your table."));
  await until("the status", () => summaryOf(status).includes("Done"));
  expect(status.versions.length).toBeGreaterThan(1);
  expect(teams.streams[0]?.texts.at(-1)).toBe("Here is your table.");
  const offers = () => written().filter(({ wire }) => JSON.stringify(wire).includes(FILE_CONSENT));
  await until("the file offer", () => offers().length > 0);
  const files = await until("the file's link", () => written().find((each) => linksIn(each).length > 0));
  expect(await (await fetch(linksIn(files)[0] ?? "")).text()).toBe("a,b\n");
  expect(teams.violations).toEqual([]);
});

it("an activity whose serviceUrl is elsewhere is refused: nothing is sent out of this machine", async () => {
  const elsewhere = { type: "message", id: "2", channelId: "msteams", serviceUrl: "https://elsewhere.test/amer/" };
  const where = { conversation: { id: "a:elsewhere", conversationType: "personal" }, text: "hello" };
  const who = { from: { id: "29:1-alice" }, recipient: { id: "28:bot" } };
  const body = JSON.stringify({ ...elsewhere, ...where, ...who });
  const answer = await fetch(endpoint, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(answer.status).toBeGreaterThanOrEqual(400);
});
