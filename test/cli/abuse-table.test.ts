import { expect, it } from "vitest";
import { abuseTable } from "../../src/cli/abuse-table.ts";

const attempt = { area: "network", attempt: "reach out", expected: "no route", outcome: "no route" };

it("lists attempts by area, with their count and what came of them", () => {
  const files = [
    {
      assertionResults: [
        { status: "passed", meta: { attempt } },
        { status: "passed", meta: {} },
      ],
    },
    { assertionResults: [{ status: "passed", meta: { attempt: { ...attempt, area: "disk", outcome: "full" } } }] },
  ];
  expect(abuseTable(files)).toBe(`Abuse suite: 2 attempts, all as expected

    area     attempt    expected  outcome
ok  disk     reach out  no route  full
ok  network  reach out  no route  no route`);
});

it("says which attempts did not come to what was expected", () => {
  const failed = { status: "failed", meta: { attempt: { ...attempt, outcome: "connected" } } };
  expect(abuseTable([{ assertionResults: [failed] }])).toBe(`Abuse suite: 1 attempts, 1 NOT as expected

      area     attempt    expected  outcome
FAIL  network  reach out  no route  connected`);
});

it("is nothing without attempts", () => {
  expect(abuseTable([{ assertionResults: [{ status: "passed" }] }])).toBeNull();
});
