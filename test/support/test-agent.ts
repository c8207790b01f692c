import { resolveToolset } from "../../src/agents/toolset.ts";
import { SessionAgent } from "../../src/schemas/agent.ts";

const MODEL = "claude-sonnet-4-6";

export const testAgent = (overrides: Partial<SessionAgent> = {}): SessionAgent =>
  SessionAgent.parse({
    id: "agent_test",
    type: "agent",
    version: 1,
    name: "Ada",
    description: null,
    model: { id: MODEL, effort: { type: "medium" }, speed: "standard" },
    system: null,
    tools: [resolveToolset({ type: "agent_toolset_20260401" })],
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: "service_account" },
    ...overrides,
  });
