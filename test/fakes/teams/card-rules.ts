import { recordOf } from "./record-of.ts";

const VERSION = /^1\.[0-5]$/;
const ACTIONS_MAX = 6;
const REFRESH_USERS_MAX = 60;
const CARD = ["type", "$schema", "version", "body", "actions", "fallbackText", "refresh", "msteams", "speak", "lang"];
const CARD_FIELDS = new Set([
  ...CARD,
  "selectAction",
  "minHeight",
  "verticalContentAlignment",
  "authentication",
  "rtl",
]);
/** Required fields of elements that Teams shows. */
const ELEMENTS = new Map<string, readonly string[]>([
  ["TextBlock", ["text"]],
  ["RichTextBlock", ["inlines"]],
  ["Image", ["url"]],
  ["ImageSet", ["images"]],
  ["Media", ["sources"]],
  ["Container", ["items"]],
  ["ColumnSet", []],
  ["Column", []],
  ["FactSet", ["facts"]],
  ["ActionSet", ["actions"]],
  ["Table", ["columns"]],
  ["TableRow", ["cells"]],
  ["TableCell", ["items"]],
  ["CodeBlock", ["codeSnippet"]],
  ["Input.Text", ["id"]],
  ["Input.Number", ["id"]],
  ["Input.Date", ["id"]],
  ["Input.Time", ["id"]],
  ["Input.Toggle", ["id", "title"]],
  ["Input.ChoiceSet", ["id"]],
]);
const ACTIONS = new Map<string, readonly string[]>([
  ["Action.Execute", ["verb", "fallback"]],
  ["Action.Submit", ["title"]],
  ["Action.OpenUrl", ["url"]],
  ["Action.ShowCard", ["card"]],
  ["Action.ToggleVisibility", ["targetElements"]],
]);
const CHILDREN = ["items", "columns", "cells", "rows", "images"] as const;

/** What is wrong with an Adaptive Card: unknown parts, fields that are missing, a button that older clients can't press. */
export function cardProblem(content: unknown): string | null {
  const card = recordOf(content);
  if (card["type"] !== "AdaptiveCard") return "a card that is no AdaptiveCard";
  if (!VERSION.test(String(card["version"])))
    return `card version ${String(card["version"])}, which Teams does not show`;
  const unknown = Object.keys(card).find((key) => !CARD_FIELDS.has(key));
  if (unknown !== undefined) return `a card has no ${unknown}`;
  const refresh = recordOf(card["refresh"]);
  if (listOf(refresh["userIds"]).length > REFRESH_USERS_MAX) return `refresh for more than ${REFRESH_USERS_MAX} people`;
  return elementsProblem(listOf(card["body"])) ?? actionsProblem(listOf(card["actions"]));
}

/** Every action in a card, those in shown cards too. */
export function actionsOf(content: unknown): Record<string, unknown>[] {
  const element = recordOf(content);
  const actions = listOf(element["actions"]).map(recordOf);
  const inside = [...listOf(element["body"]), ...CHILDREN.flatMap((key) => listOf(element[key]))];
  const select = element["selectAction"] === undefined ? [] : [recordOf(element["selectAction"])];
  return [
    ...select,
    ...actions.flatMap((action) => [action, ...actionsOf(action["card"])]),
    ...inside.flatMap((each) => actionsOf(each)),
  ];
}

function elementsProblem(elements: readonly unknown[]): string | null {
  for (const each of elements) {
    const problem = elementProblem(recordOf(each));
    if (problem !== null) return problem;
  }
  return null;
}

function elementProblem(element: Record<string, unknown>): string | null {
  const type = String(element["type"]);
  const required = ELEMENTS.get(type);
  if (!required) return `no card element ${type}`;
  const missing = required.find((key) => element[key] === undefined);
  if (missing !== undefined) return `${type} without ${missing}`;
  if (type === "TextBlock" && typeof element["text"] !== "string") return "TextBlock whose text is no text";
  const select = element["selectAction"] === undefined ? [] : [element["selectAction"]];
  return (
    actionsProblem([...listOf(element["actions"]), ...select]) ??
    elementsProblem(
      CHILDREN.filter((key) => !(type === "Table" && key === "columns")).flatMap((key) => childrenOf(element, key)),
    )
  );
}

/** A column may leave out its type; a table's rows may not. */
function childrenOf(element: Record<string, unknown>, key: (typeof CHILDREN)[number]): unknown[] {
  const implied = key === "columns" ? "Column" : key === "images" ? "Image" : undefined;
  return listOf(element[key]).map((each) => ({ ...(implied !== undefined && { type: implied }), ...recordOf(each) }));
}

function actionsProblem(actions: readonly unknown[]): string | null {
  if (actions.length > ACTIONS_MAX) return `${actions.length} actions, of which Teams shows ${ACTIONS_MAX}`;
  for (const each of actions) {
    const problem = actionProblem(recordOf(each));
    if (problem !== null) return problem;
  }
  return null;
}

function actionProblem(action: Record<string, unknown>): string | null {
  const type = String(action["type"]);
  const required = ACTIONS.get(type);
  if (!required) return `no card action ${type}`;
  const missing = required.find((key) => action[key] === undefined);
  if (missing !== undefined) return `${type} without ${missing}`;
  if (type === "Action.ShowCard") return elementsProblem(listOf(recordOf(action["card"])["body"]));
  if (type !== "Action.Execute") return null;
  const fallback = recordOf(action["fallback"]);
  return fallback["type"] === "Action.Submit" ? null : "Action.Execute whose fallback is no Action.Submit";
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
