import type { Order } from "./orders.ts";
import type { Random } from "./random.ts";

const HEADER = [
  "Order No",
  "Order date",
  "Region",
  "Channel",
  "Product line",
  "Item",
  "Customer",
  "Qty",
  "Unit price",
  "Discount",
  "Net revenue",
  "Gross margin",
  "Lead time\n(days)",
  "Express",
  "Notes",
];

const MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const EXCEL_EPOCH_DAYS = 25_569;

const MISSING = ["", "", "", "n/a", "N/A", "-", "null", " "];

const NOTES = [
  "deliver to gate 2",
  'customer asked for "quiet" model',
  "partial shipment,\nrest next week",
  "see quote; price agreed by phone",
  "call before delivery, site closed Fri",
  "replacement for damaged unit",
  "PO to follow",
  "gate code on file;\nunload at the rear",
];

/** A BOM, a header with a line break in it, then the orders: spoilt, some twice, with a few rows of other systems' habits. */
export function dirtyCsv(orders: readonly Order[], random: Random): string {
  const lines: string[] = [csvLine(HEADER)];
  for (const order of orders) {
    const cells = cellsOf(order, random);
    lines.push(csvLine(spoilShape(cells, random)));
    if (random.chance(0.011)) lines.push(csvLine(cells));
    if (random.chance(0.008)) lines.push(csvLine(cellsOf(order, random, cells.at(-1) ?? "")));
    if (random.chance(0.0007)) lines.push(",".repeat(HEADER.length - 1));
    if (random.chance(0.0004)) lines.push(csvLine(HEADER));
  }
  return `\uFEFF${lines.join("\r\n")}\r\n`;
}

function cellsOf(order: Order, random: Random, note?: string): string[] {
  const credit = random.chance(0.006) ? -1 : 1;
  const typo = random.chance(0.0012) ? 100 : 1;
  const foreign = random.chance(0.008) ? random.pick(["$", "£"]) : null;
  return [
    order.number,
    orMissing(0.006, writeDate(order.day, random), random),
    orMissing(0.012, writeCategory(order.region, random), random),
    orMissing(0.008, writeCategory(order.channel, random), random),
    orMissing(0.004, writeCategory(order.line, random), random),
    writeSpaces(order.item, random),
    orMissing(0.01, order.customer, random),
    String(order.quantity * credit),
    orMissing(0.006, writeMoney(order.unitPrice, random, foreign), random),
    orMissing(0.03, writePercent(order.discount, random), random),
    orMissing(0.012, writeMoney(order.revenue * credit * typo, random, foreign), random),
    orMissing(0.02, writeMoney(order.margin * credit * typo, random, foreign), random),
    orMissing(0.02, random.chance(0.002) ? "999" : String(order.leadDays), random),
    orMissing(
      0.03,
      random.pick(order.express ? ["yes", "Y", "TRUE", "Yes"] : ["no", "N", "FALSE", "No", "no"]),
      random,
    ),
    note ?? (random.chance(0.14) ? random.pick(NOTES) : ""),
  ];
}

function writeDate(day: number, random: Random): string {
  const date = new Date(day * 86_400_000);
  const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  const two = (n: number) => String(n).padStart(2, "0");
  if (random.chance(0.0006)) return `${y + 200}-${two(m)}-${two(d)}`;
  const style = random.weighted({ iso: 58, dotted: 17, us: 10, words: 8, serial: 4, stamp: 3 });
  switch (style) {
    case "iso":
      return `${y}-${two(m)}-${two(d)}`;
    case "dotted":
      return `${d}.${m}.${y}`;
    case "us":
      return `${two(m)}/${two(d)}/${y}`;
    case "words":
      return `${d} ${MONTH_NAMES[m - 1] ?? ""} ${y}`;
    case "serial":
      return String(day + EXCEL_EPOCH_DAYS);
    case "stamp":
      return `${y}-${two(m)}-${two(d)}T${two(random.int(7, 18))}:${two(random.int(0, 59))}:00`;
  }
}

function writeMoney(amount: number, random: Random, foreign: string | null): string {
  const grouped = (group: string, point: string) => {
    const [whole = "0", fraction = "00"] = Math.abs(amount).toFixed(2).split(".");
    return whole.replaceAll(/\B(?=(\d{3})+$)/g, group) + point + fraction;
  };
  const sign = amount < 0 ? "-" : "";
  if (foreign !== null) return `${sign}${foreign}${grouped(",", ".")}`;
  if (amount < 0 && random.chance(0.5)) return `(${grouped(",", ".")})`;
  const style = random.weighted({ plain: 60, english: 14, continental: 10, euro: 9, code: 4, rounded: 2, spaced: 2 });
  switch (style) {
    case "plain":
      return amount.toFixed(2);
    case "english":
      return `${sign}${grouped(",", ".")}`;
    case "continental":
      return `${sign}${grouped(".", ",")}`;
    case "euro":
      return `${sign}€${grouped(",", ".")}`;
    case "code":
      return `${sign}${grouped(".", ",")} EUR`;
    case "rounded":
      return Math.abs(amount) >= 1000 ? `${(amount / 1000).toFixed(1)}k` : amount.toFixed(2);
    case "spaced":
      return `${sign}${grouped("\u00A0", ",")} €`;
  }
}

function writePercent(fraction: number, random: Random): string {
  const percent = fraction * 100;
  const text = Number.isInteger(percent) ? String(percent) : percent.toFixed(1);
  const style = random.weighted({ sign: 80, spaced: 12, comma: 8 });
  if (style === "spaced") return `${text} %`;
  return style === "comma" ? `${text.replace(".", ",")}%` : `${text}%`;
}

function writeCategory(value: string, random: Random): string {
  if (random.chance(0.02)) return value.toUpperCase();
  if (random.chance(0.02)) return value.toLowerCase();
  if (random.chance(0.006) && value.length >= 5) return misspell(value, random);
  return writeSpaces(value, random);
}

function writeSpaces(value: string, random: Random): string {
  if (random.chance(0.025)) return `${value} `;
  return random.chance(0.008) ? ` ${value}` : value;
}

/** Drops or doubles one letter after the first. */
function misspell(value: string, random: Random): string {
  const at = random.int(1, value.length - 2);
  return random.chance(0.5) ? value.slice(0, at) + value.slice(at + 1) : value.slice(0, at) + value.slice(at - 1);
}

function orMissing(probability: number, value: string, random: Random): string {
  return random.chance(probability) ? random.pick(MISSING) : value;
}

/** A few rows cut short, and a few pushed one column to the right by a stray empty cell. */
function spoilShape(cells: string[], random: Random): string[] {
  if (random.chance(0.001)) return cells.slice(0, random.int(11, 13));
  if (random.chance(0.0012)) {
    const at = random.int(1, 2);
    return [...cells.slice(0, at), "", ...cells.slice(at, -1)];
  }
  return cells;
}

function csvLine(cells: readonly string[]): string {
  return cells.map((cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
}
