import { expect, it } from "vitest";
import { codeSpan, plainWords } from "../../../bots/shared/plain-words.ts";

it.each([
  ["Board deck", "Board deck"],
  ["**Q3** _report_\n[link](https://x.test)", "Q3 report linkhttps://x.test"],
  ["<!channel> `rm`", "!channel rm"],
  ["***", ""],
])("%j inside a sentence is %j", (text, plain) => expect(plainWords(text)).toBe(plain));

it.each([
  ["reports", "`reports`"],
  ["a`b\nc", "`a'b c`"],
  ["x".repeat(200), `\`${"x".repeat(79)}…\``],
])("%j as code is %j", (text, code) => expect(codeSpan(text)).toBe(code));
