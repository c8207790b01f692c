import { describe, expect, it } from "vitest";
import { parseQueryString } from "../../src/api/query-string.ts";

describe("a query string", () => {
  it.each([
    ["", {}],
    ["a=1", { a: "1" }],
    ["a[]=1", { a: ["1"] }],
    ["a[]=1&a[]=2", { a: ["1", "2"] }],
    ["a%5B%5D=1&a%5B%5D=2", { a: ["1", "2"] }],
    ["a=1&a=2&a=3", { a: ["1", "2", "3"] }],
    ["a=1&a[]=2", { a: ["1", "2"] }],
    ["created_at[gte]=2026", { "created_at[gte]": "2026" }],
    ["created_at%5Bgte%5D=2026", { "created_at[gte]": "2026" }],
    ["a=x%20y+z", { a: "x y z" }],
    ["a", { a: "" }],
  ])("%j is %j", (text, query) => {
    expect({ ...parseQueryString(text) }).toEqual(query);
  });

  it("can't reach into prototypes", () => {
    const query = parseQueryString("__proto__[]=a&__proto__=b&constructor=c");
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(query["__proto__"]).toEqual(["a", "b"]);
  });
});
