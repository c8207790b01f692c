import { type Figure, isMet } from "./figure.ts";

/** One line of JSON. Pure. */
export function jsonLine({ name, value, unit, floor, ratio }: Figure): string {
  return JSON.stringify({ name, value: rounded(value), unit, floor: rounded(floor), ratio: rounded(ratio) });
}

/** A table for people. Pure. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${shown(figure.value)} ${figure.unit}`,
    figure.floor === null ? "" : `${shown(figure.floor)} ${figure.unit}`,
    figure.ratio === null ? "" : `${shown(figure.ratio)} ×`,
    verdict(figure),
    figure.note,
  ]);
  const all = [["figure", "value", "floor", "ratio", "target", "what it is"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => align(cell, column, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function align(cell: string, column: number, width: number): string {
  const isNumber = column >= 1 && column <= 3;
  return isNumber ? cell.padStart(width) : cell.padEnd(width);
}

function verdict(figure: Figure): string {
  const { target } = figure;
  if (!target) return "";
  const unit = { value: ` ${figure.unit}`, ratio: " ×", difference: ` ${figure.unit} more` }[target.of];
  return `${target.is === "at most" ? "≤" : "≥"} ${target.limit}${unit} ${isMet(figure) ? "met" : "MISSED"}`;
}

function shown(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function rounded<Value extends number | null>(value: Value): Value | number {
  return value === null ? value : Math.round(value * 1000) / 1000;
}
