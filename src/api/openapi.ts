import { z } from "zod";

const Operation = z.looseObject({ responses: z.record(z.string(), z.unknown()).optional() });
const Schemas = z.record(z.string(), z.unknown());
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: Schemas }),
});
type Document = z.infer<typeof Document>;
type Schemas = z.infer<typeof Schemas>;

const ERROR = {
  type: "object",
  required: ["type", "error", "request_id"],
  properties: {
    type: { const: "error" },
    error: {
      type: "object",
      required: ["type", "message"],
      properties: { type: { type: "string" }, message: { type: "string" }, details: { type: "object" } },
    },
    request_id: { type: "string" },
  },
};

const FAILURE = {
  description: "Any failure.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};

/** Rounds off the generated document: every operation can fail, and schemas that nothing refers to are left out. Pure. */
export function finishOpenApi(generated: object): Document {
  const document = Document.parse(generated);
  const paths = mapValues(document.paths, (item) =>
    mapValues(item, (operation) => ({ ...operation, responses: { ...operation.responses, default: FAILURE } })),
  );
  const schemas = used({ ...document.components.schemas, Error: ERROR }, paths);
  return { ...generated, paths, components: { ...document.components, schemas } };
}

function used(schemas: Schemas, paths: Document["paths"]): Schemas {
  const kept = new Set<string>();
  const visit = (part: unknown) => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (kept.has(name)) continue;
      kept.add(name);
      visit(schemas[name]);
    }
  };
  visit(paths);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => kept.has(name)));
}

function mapValues<From, To>(record: Record<string, From>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
