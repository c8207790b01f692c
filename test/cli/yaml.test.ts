import { expect, it } from "vitest";
import { toYaml } from "../../src/cli/yaml.ts";

it("writes plain data as YAML, each text in quotes", () => {
  const plain = {
    name: 'A "b": c',
    on: true,
    none: [],
    empty: {},
    list: ["yes", { title: "1", of: ["x", "y"] }],
    deep: { er: { count: 2 } },
  };
  expect(toYaml(plain)).toBe(`name: "A \\"b\\": c"
on: true
none: []
empty: {}
list:
  - "yes"
  - title: "1"
    of:
      - "x"
      - "y"
deep:
  er:
    count: 2
`);
});
