import { expect, it } from "vitest";
import { nearest, nearestFew } from "../../../bots/shared/nearest.ts";

it("is the one with the fewest edits, and none when all are far", () => {
  expect(nearest("atach", ["stop", "attach"])).toBe("attach");
  expect(nearest("xyzzy", ["stop", "attach"])).toBeNull();
});

it("are several when several are close, closest first", () => {
  expect(nearestFew("report", ["reports", "sales", "import"], 3)).toEqual(["reports", "import"]);
  expect(nearestFew("report", ["reports", "import"], 1)).toEqual(["reports"]);
});
