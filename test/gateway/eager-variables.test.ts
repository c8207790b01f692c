import { describe, expect, it } from "vitest";
import { createEagerVariables } from "../../src/gateway/eager-variables.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { SessionVariable } from "../../src/vaults/session-credentials.ts";

const variable = (vaultId: string, nth: number): SessionVariable => ({
  credentialId: `cred_${nth}`,
  vaultId,
  secretName: "TOKEN",
  value: new Secret("canary-value"),
  hosts: null,
  injection: { header: true, body: false },
});

/** Numbers its answers, so that it shows which question one belongs to. */
function numbered(failsFor: string | null = null) {
  const asked: (readonly string[])[] = [];
  const begin = createEagerVariables({
    async variables(_, vaultIds) {
      asked.push(vaultIds);
      if (failsFor !== null && vaultIds.includes(failsFor)) throw new Error("unreadable");
      return vaultIds.map((vaultId) => variable(vaultId, asked.length));
    },
  });
  return { asked, begin };
}

const ids = (variables: SessionVariable[]) => variables.map(({ credentialId }) => credentialId);

describe("variables asked for ahead", () => {
  it("are asked for once a request, before it is known whose they are, and anew for each", async () => {
    const { asked, begin } = numbered();
    expect(ids(await begin("slot")("wrkspc", ["vlt_1"]))).toEqual(["cred_1"]);
    const second = begin("slot");
    expect(asked).toHaveLength(2);
    expect(ids(await second("wrkspc", ["vlt_1"]))).toEqual(["cred_2"]);
    expect(asked).toHaveLength(2);
  });

  it("are never those of other vaults, another order of them, another workspace or another socket", async () => {
    const { asked, begin } = numbered();
    await begin("slot")("wrkspc", ["vlt_1", "vlt_2"]);
    for (const [workspaceId, ...vaultIds] of [
      ["wrkspc", "vlt_2", "vlt_1"],
      ["wrkspc", "vlt_2"],
      ["wrkspc_other", "vlt_2"],
    ] as const) {
      const variablesOf = begin("slot");
      const before = asked.length;
      const found = await variablesOf(workspaceId, vaultIds);
      expect(found.map(({ vaultId }) => vaultId)).toEqual(vaultIds);
      expect(ids(found)[0]).toBe(`cred_${before + 1}`);
    }
    const before = asked.length;
    const elsewhere = begin("slot_other");
    expect(asked).toHaveLength(before);
    expect(await elsewhere("wrkspc", [])).toEqual([]);
  });

  it("do no harm when the vaults that were guessed can't be read and are not the session's any more", async () => {
    const { begin } = numbered("vlt_bad");
    await expect(begin("slot")("wrkspc", ["vlt_bad"])).rejects.toThrow("unreadable");
    await expect(begin("slot")("wrkspc", ["vlt_bad"])).rejects.toThrow("unreadable");
    expect(await begin("slot")("wrkspc", ["vlt_1"])).toHaveLength(1);
  });
});
