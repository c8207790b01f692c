import { describe, expect, it } from "vitest";
import {
  compactNumber,
  errorMessage,
  formatBytes,
  formatCents,
  formatDuration,
  statusMessage,
  worthTelling,
} from "../../../bots/shared/render.ts";
import { beginTurn } from "../../../bots/shared/turn.ts";
import { firstSentence, toolLabel } from "../../../bots/shared/tool-label.ts";
import { isMessageWith, userMessageText } from "../../../bots/shared/user-message.ts";

describe("words", () => {
  it.each([
    "unknown_error",
    "model_overloaded_error",
    "model_rate_limited_error",
    "model_request_failed_error",
    "billing_error",
    "tool_use_limit_reached_error",
    "compaction_limit_reached_error",
  ] as const)("for %s say what to do and nothing of what the API said", (type) => {
    const error = { type, message: "RAW {json}", retry_status: { type: "exhausted" as const } };
    const { markdown } = errorMessage({ error, build: false }) as { markdown: string };
    expect(markdown).not.toContain("RAW");
    expect(markdown).not.toContain(type);
    expect(markdown.split(/[.;]/).length).toBeGreaterThan(1);
  });

  it("for packages that could not be installed end with what the package manager said, and can't leave their block", () => {
    const message = `pip: ${"x".repeat(2_000)}\n\`\`\` No matching distribution found for pandsa`;
    const error = { type: "unknown_error" as const, message, retry_status: { type: "exhausted" as const } };
    const { markdown } = errorMessage({ error, build: true }) as { markdown: string };
    expect(markdown).toMatch(/packages[\s\S]*No matching distribution found for pandsa\n```$/);
    expect(markdown.match(/```/g)).toHaveLength(2);
    expect(markdown.length).toBeLessThan(1_500);
  });

  it.each([
    [0, "$0"],
    [0.4, "<$0.01"],
    [42, "$0.42"],
    [1200, "$12"],
    [123_450, "$1234.50"],
  ])("%d cents are %s", (cents, text) => expect(formatCents(cents)).toBe(text));

  it.each([
    [null, null],
    [0, null],
    [0.49, null],
    [0.5, 0.5],
    [42, 42],
  ])("a cost of %d cents is shown as %d, and so it is in a status", (costCents, told) => {
    expect(worthTelling(costCents)).toBe(told);
    const turn = {
      ...beginTurn({ id: "sevt_1", type: "user.message", processed_at: null, content: [] }),
      usage: { costCents, tokens: 1 },
    };
    expect(statusMessage(turn, "done", false)).toMatchObject({ card: { costCents: told } });
  });

  it.each([
    [0, "0:00"],
    [7_400, "0:07"],
    [750_000, "12:30"],
    [3_729_000, "1:02:09"],
    [-5, "0:00"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [999, "999"],
    [1000, "1k"],
    [12_345, "12.3k"],
    [999_960, "1M"],
    [3_100_000, "3.1M"],
  ])("%d is %s", (value, text) => expect(compactNumber(value)).toBe(text));

  it.each([
    [312, "312 B"],
    [48_140, "48.1 kB"],
    [2_300_000, "2.3 MB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe("a tool call", () => {
  it.each([
    ["bash", { command: "python3 clean.py" }, "bash: python3 clean.py"],
    ["bash", { command: "# comment\nset -e\ncd /workspace\npython3 a.py" }, "bash: python3 a.py"],
    ["bash", { command: "cd x && python3 - <<'EOF'\nprint(1)\nEOF" }, "bash: python3 -"],
    ["bash", { restart: true }, "bash: restart"],
    ["read", { file_path: "/mnt/session/uploads/sales 2.csv" }, "read: sales 2.csv"],
    ["grep", { pattern: "total" }, "grep: total"],
    ["bash", {}, "bash"],
    ["web_search", { query: "x" }, "web_search"],
    ["bash", { command: 5 }, "bash"],
  ])("%s %j reads %j", (name, input, label) => {
    expect(toolLabel(name, input)).toBe(label);
  });

  it("is cut to one short line", () => {
    const label = toolLabel("bash", { command: `echo ${"x".repeat(500)}\nmore` });
    expect(label.length).toBeLessThanOrEqual(72);
    expect(label.endsWith("…")).toBe(true);
  });
});

describe("the first sentence", () => {
  it.each([
    ["I look at it. Then I clean.", "I look at it"],
    ["[scripted model, no API key] I draw the slides.", "I draw the slides"],
    ["[Report](https://x.y) is ready", "[Report](https://x.y) is ready"],
    ["## **Plan**\n1. x", "Plan"],
    ["- `clean.py` next:", "clean.py next"],
    ["The best: revenue rose 5.4% in 2025. More.", "The best: revenue rose 5.4% in 2025"],
    ["", ""],
  ])("of %j is %j", (markdown, sentence) => {
    expect(firstSentence(markdown, 80)).toBe(sentence);
  });
});

describe("what the agent is told", () => {
  it("is found again by the person's words, with and without files", () => {
    for (const words of ["Clean this", ""]) {
      for (const paths of [[], ["/mnt/session/uploads/a.csv"]]) {
        const message = userMessageText(words, paths);
        expect(isMessageWith(words, message)).toBe(true);
        expect(isMessageWith("Clean", message)).toBe(false);
      }
    }
  });
});
