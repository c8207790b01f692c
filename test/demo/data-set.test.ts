import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { equipmentOrders } from "../../demo/data-set.ts";

const shipped = () => readFile(new URL("../../demo/equipment-orders.csv", import.meta.url), "utf8");

describe("the shipped data set", () => {
  it("is what the generator makes, byte for byte", async () => {
    expect(equipmentOrders() === (await shipped())).toBe(true);
  });

  it.each([
    ["a byte order mark", /^\uFEFF/],
    ["a line break in the header", /"Lead time\n\(days\)"/],
    ["dates with the day first", /,\d{1,2}\.\d{1,2}\.202\d,/],
    ["dates with the month first", /,0\d\/(1[3-9]|2\d)\/202\d,/],
    ["dates in words", /,\d{1,2} Mar 202\d,/],
    ["spreadsheet day numbers", /,45\d{3},/],
    ["decimal commas", /"\d\.\d{3},\d{2} EUR"/],
    ["decimal points behind group commas", /"\d,\d{3}\.\d{2}"/],
    ["another currency", /"?[$£]\d/],
    ["brackets for negative amounts", /\(\d+\.\d{2}\)/],
    ["shortened amounts", /,\d+\.\dk,/],
    ["negative quantities", /,-\d+,/],
    ["missing marks", /,n\/a,/],
    ["quotes inside cells", /""quiet""/],
    ["line breaks inside cells", /partial shipment,\nrest/],
  ])("holds %s", async (_, dirt) => {
    expect(await shipped()).toMatch(dirt);
  });
});
