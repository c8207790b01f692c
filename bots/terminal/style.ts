import { styleText } from "node:util";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  code(text: string): string;
  accent(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
}

export function createStyle(colours: boolean): Style {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colours && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: style("bold"),
    dim: style("dim"),
    code: style("cyan"),
    accent: style("blue"),
    good: style("green"),
    warning: style("yellow"),
    bad: style("red"),
  };
}
