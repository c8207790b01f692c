import { describe, expect, it } from "vitest";
import { agentIn, findUsableAgent, mayUseAgent } from "../../../bots/shared/agent-permission.ts";

describe("whom people may give their work to", () => {
  it.each([
    // Nothing is said: anybody.
    [{ agentId: null, agents: null }, "other", true],
    // An operator has set one: nobody else.
    [{ agentId: "set", agents: null }, "other", false],
    [{ agentId: "set", agents: null }, "set", true],
    [{ agentId: "set", agents: null }, "default", false],
    // A list: those on it, and the place's own.
    [{ agentId: "set", agents: ["listed"] }, "listed", true],
    [{ agentId: "set", agents: ["listed"] }, "other", false],
    [{ agentId: "set", agents: ["listed"] }, "set", true],
    [{ agentId: null, agents: ["listed"] }, "default", true],
    [{ agentId: null, agents: ["listed"] }, "other", false],
    // Nobody on it.
    [{ agentId: null, agents: [] }, "other", false],
    [{ agentId: null, agents: [] }, "default", true],
  ])("%j: %s is %s", (policy, wanted, may) => {
    expect(mayUseAgent(policy, wanted, "default")).toBe(may);
  });

  it("is the first of those they chose that they may choose, else the place's own", () => {
    const policy = { agentId: "set", agents: ["listed"] };
    expect(agentIn(policy, null, "listed")).toBe("listed");
    expect(agentIn(policy, "other", "listed")).toBe("listed");
    expect(agentIn(policy, "other", null)).toBe("set");
    expect(agentIn({ agentId: null, agents: null }, null, null)).toBeNull();
  });

  it.each([
    ["re", { type: "one", agent: { id: "listed" } }],
    ["reports internal", { type: "refused" }],
    ["reprts", { type: "none", nearest: ["Reports"] }],
    ["payrol", { type: "refused" }],
    ["xyz", { type: "none", nearest: [] }],
  ])("are the only ones that %j may mean", (wanted, match) => {
    const agents = [
      { id: "listed", name: "Reports", description: null },
      { id: "hidden", name: "Reports internal", description: null },
      { id: "twin", name: "Payroll", description: null },
      { id: "twin2", name: "Payroll", description: null },
    ];
    expect(findUsableAgent(agents, wanted, { agentId: null, agents: ["listed"] }, "default")).toMatchObject(match);
  });
});
