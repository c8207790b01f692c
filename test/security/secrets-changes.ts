import { expect } from "vitest";
import { attemptsIn } from "./support/attempt.ts";
import type { Planted } from "./support/planted.ts";
import { attemptNow } from "./support/sandbox-attempts.ts";
import { slotAnswer, slotOf } from "./support/slot.ts";
import { REQUESTS_PER_MINUTE } from "./support/world.ts";

const GOT = "200; api.cred.test got the secret in x-api-key";
const LEFT = "200; api.cred.test got the placeholder in x-api-key";
const CONNECTIONS = REQUESTS_PER_MINUTE / 15;

/** What happens to sessions that run: in order, since each takes something away. */
export function attemptChanges(planted: () => Planted): void {
  const attempt = attemptsIn("changes");
  const ask = (placeholder = planted().placeholders.own) =>
    attemptNow(
      `curl("-H", "x-api-key: ${placeholder}", f"https://api.cred.test{a}/echo/body")`,
      planted().world,
      planted().main,
    );
  const credentials = () => planted().world.client.beta.vaults.credentials;

  attempt("a gateway that is killed and started again", "the next request gets the secret", async () => {
    const { roles } = planted().world;
    await roles.kill("gateway");
    await roles.start("gateway");
    return is(await ask(), GOT);
  });

  attempt("a secret that is replaced", "the next request gets the new one", async () => {
    const { world, credentialId, vaultId } = planted();
    const renewed = world.canaries.plant("renewed variable");
    const auth = { type: "environment_variable" as const, secret_value: renewed };
    await credentials().update(credentialId, { vault_id: vaultId, auth });
    const outcome = await ask();
    expect(world.hosts.heard.at(-1)?.headers["x-api-key"]).toBe(renewed);
    return is(outcome, GOT);
  });

  attempt("a repository's token that is replaced", "the next fetch gets the new one", async () => {
    const { world, main } = planted();
    const fetch = () =>
      attemptNow(`str(subprocess.run(["git", "-C", "/workspace/private", "fetch"]).returncode)`, world, main);
    world.repositoryToken.current = world.canaries.plant("rotated repository token");
    expect(await fetch()).toBe("128");
    const { resources } = world.client.beta.sessions;
    const { data } = await resources.list(main.id);
    const repository = data.find((one) => one.type === "github_repository");
    const authorization_token = world.repositoryToken.current;
    await resources.update(repository?.id ?? "", { session_id: main.id, authorization_token });
    return is(await fetch(), "0");
  });

  attempt("a credential that is archived", "the next request gets the placeholder", async () => {
    const { credentialId, vaultId } = planted();
    await credentials().archive(credentialId, { vault_id: vaultId });
    return is(await ask(), LEFT);
  });

  attempt("a vault that is archived", "the next request gets the placeholder", async () => {
    const { world, vaultId, placeholders } = planted();
    expect(await ask(placeholders.ofHeaders)).toBe(GOT);
    await world.client.beta.vaults.archive(vaultId);
    return is(await ask(placeholders.ofHeaders), LEFT);
  });

  attempt("a session that is deleted", "its socket is good for nothing", async () => {
    const { world, leaving } = planted();
    const socket = await slotOf(world.home, leaving.id);
    expect(await slotAnswer(socket, "http://other.test/")).toBe("200");
    await world.client.beta.sessions.delete(leaving.id);
    const answer = await slotAnswer(socket, "http://other.test/");
    expect(["closed", "403 unknown_sandbox"]).toContain(answer);
    return answer;
  });

  attempt("more requests than a session may make", "429, and other sessions go on", async () => {
    const { world, one, open } = planted();
    const single = `request("http://other.test/flood", method="HEAD")`;
    const many = (count: number) => `${single}.replace("Connection: close\\r\\n", "") * ${count}`;
    const flood = `[*concurrent.futures.ThreadPoolExecutor(8).map(proxy, [${many(24)} + ${single}] * ${CONNECTIONS})]`;
    // Behind some more on its own connection: what a pause between the two gives back is used up by those.
    const last = `proxy(${many(24)} + request(f"http://other.test{a}/"))`;
    const outcome = await attemptNow(`(${flood}, ${last})[1]`, world, one);
    expect(await attemptNow(`curl(f"https://other.test{a}/")`, world, open)).toContain("200");
    return is(outcome, "429 request_limit; nothing arrived");
  });
}

function is(outcome: string, expected: string): string {
  expect(outcome).toBe(expected);
  return outcome;
}
