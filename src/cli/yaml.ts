export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** Pure: plain data as YAML. Texts are quoted as in JSON, which YAML reads too, so that none is taken for something else. */
export function toYaml(value: Plain, indent = ""): string {
  if (typeof value !== "object") return `${indent}${JSON.stringify(value)}\n`;
  if (isList(value)) return value.map((item) => `${indent}- ${toYaml(item, `${indent}  `).trimStart()}`).join("");
  return Object.entries(value)
    .map(([key, item]) => `${indent}${key}:${behindKey(item, indent)}`)
    .join("");
}

function behindKey(value: Plain, indent: string): string {
  const hasLines = typeof value === "object" && Object.keys(value).length > 0;
  return hasLines ? `\n${toYaml(value, `${indent}  `)}` : ` ${JSON.stringify(value)}\n`;
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}
