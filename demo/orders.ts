import type { Random } from "./random.ts";

export interface Order {
  number: string;
  /** Days since 1970-01-01. */
  day: number;
  region: Region;
  channel: Channel;
  line: Line;
  item: string;
  customer: string;
  quantity: number;
  unitPrice: number;
  /** A fraction, 0.05 for 5 %. */
  discount: number;
  revenue: number;
  margin: number;
  leadDays: number;
  express: boolean;
}

type Region = keyof typeof REGIONS;
type Channel = keyof typeof CHANNELS;
type Line = keyof typeof LINES;

const FIRST_MONTH = { year: 2024, month: 1 };
const MONTHS = 18;
const ORDERS_A_MONTH = 300;
const CUSTOMERS = 430;

/** January to December: quiet winter and August, spring and year-end peaks. */
const SEASON = [0.86, 0.88, 1.08, 1.06, 1.04, 1.1, 0.92, 0.76, 1.06, 1.08, 1.2, 0.96];

/** Share of orders at the start, and what one month multiplies it by. */
const REGIONS = {
  West: { share: 29, drift: 1.008 },
  North: { share: 21, drift: 1.012 },
  South: { share: 22, drift: 0.968 },
  East: { share: 14, drift: 1.006 },
  Alpine: { share: 9, drift: 1.004 },
  Coastal: { share: 5, drift: 1.02 },
};

const CHANNELS = { Direct: 38, Partner: 34, Webshop: 20, Tender: 8 };

interface Item {
  name: string;
  price: number;
  typicalQuantity: number;
}

const LINES: Record<string, { share: number; drift: number; margin: number; items: readonly Item[] }> = {
  "Cordless tools": {
    share: 11,
    drift: 1.062,
    margin: 0.36,
    items: [
      { name: "Impact driver 18V", price: 189, typicalQuantity: 9 },
      { name: "Rotary hammer 36V", price: 465, typicalQuantity: 5 },
      { name: "Battery pack 8Ah", price: 118, typicalQuantity: 14 },
    ],
  },
  Compressors: {
    share: 21,
    drift: 1.002,
    margin: 0.31,
    items: [
      { name: "Screw compressor 11kW", price: 4890, typicalQuantity: 1 },
      { name: "Piston compressor 4kW", price: 1290, typicalQuantity: 2 },
      { name: "Air dryer R3", price: 980, typicalQuantity: 2 },
    ],
  },
  Generators: {
    share: 19,
    drift: 0.985,
    margin: 0.27,
    items: [
      { name: "Diesel genset 20kVA", price: 7450, typicalQuantity: 1 },
      { name: "Inverter generator 3kVA", price: 1120, typicalQuantity: 2 },
    ],
  },
  "Pumps & valves": {
    share: 24,
    drift: 1.001,
    margin: 0.33,
    items: [
      { name: "Submersible pump 2in", price: 640, typicalQuantity: 4 },
      { name: 'Ball valve DN50 "HD"', price: 74, typicalQuantity: 22 },
      { name: "Slurry pump 4in", price: 2380, typicalQuantity: 1 },
    ],
  },
  "Spare parts": {
    share: 25,
    drift: 1.004,
    margin: 0.46,
    items: [
      { name: "Filter kit, standard", price: 46, typicalQuantity: 26 },
      { name: "Seal set, mixed", price: 31, typicalQuantity: 30 },
      { name: "Service kit 2000h", price: 310, typicalQuantity: 5 },
    ],
  },
};

/** Orders in the sequence they came in, with everything about them true and consistent. */
export function makeOrders(random: Random): Order[] {
  const orders: Order[] = [];
  for (let month = 0; month < MONTHS; month++) {
    const season = SEASON[(FIRST_MONTH.month - 1 + month) % 12] ?? 1;
    const count = Math.round(ORDERS_A_MONTH * season * 1.013 ** month);
    const days = Array.from({ length: count }, () => workday(month, random)).toSorted((a, b) => a - b);
    for (const day of days) orders.push(makeOrder(orders.length, day, month, random));
  }
  return orders;
}

function makeOrder(index: number, day: number, month: number, random: Random): Order {
  const region = random.weighted<Region>(sharesIn(month, REGIONS));
  const line = random.weighted<Line>(sharesIn(month, LINES));
  const channel = random.weighted(CHANNELS);
  const { items, margin: typicalMargin } = LINES[line] ?? { items: [], margin: 0 };
  const item = random.pick(items);
  const customer = `CU-${String(1 + Math.floor(CUSTOMERS * random.next() ** 2.6)).padStart(4, "0")}`;
  const quantity = Math.max(1, Math.round(item.typicalQuantity * Math.exp(random.normal(0, 0.55))));
  const unitPrice = cents(item.price * (1 + 0.0025 * month) * random.normal(1, 0.02));
  const discount = discountFor(channel, month, random);
  const revenue = cents(quantity * unitPrice * (1 - discount));
  const cost = quantity * unitPrice * (1 - typicalMargin) * random.normal(1, 0.03);
  const leadDays = Math.max(1, Math.round(Math.exp(random.normal(region === "East" && month > 10 ? 2.5 : 1.9, 0.45))));
  return {
    number: `SO-${240_001 + index}`,
    day,
    region,
    channel,
    line,
    item: item.name,
    customer,
    quantity,
    unitPrice,
    discount,
    revenue,
    margin: cents(revenue - cost),
    leadDays,
    express: random.chance(leadDays < 5 ? 0.24 : 0.05),
  };
}

/** From the ninth month on, partners are given more and more away. */
function discountFor(channel: keyof typeof CHANNELS, month: number, random: Random): number {
  const slip = channel === "Partner" ? Math.max(0, month - 7) * 0.0125 : 0;
  const usual = { Direct: 0.055, Partner: 0.075, Webshop: 0.03, Tender: 0.11 }[channel];
  const drawn = random.normal(usual + slip, 0.022);
  return Math.min(0.4, Math.max(0, Math.round(drawn * 200) / 200));
}

function sharesIn<K extends string>(
  month: number,
  groups: Record<K, { share: number; drift: number }>,
): Record<K, number> {
  const entries = Object.entries<{ share: number; drift: number }>(groups);
  return Object.fromEntries(entries.map(([key, { share, drift }]) => [key, share * drift ** month])) as Record<
    K,
    number
  >;
}

function workday(month: number, random: Random): number {
  const first = Date.UTC(FIRST_MONTH.year, FIRST_MONTH.month - 1 + month, 1) / 86_400_000;
  const next = Date.UTC(FIRST_MONTH.year, FIRST_MONTH.month + month, 1) / 86_400_000;
  for (;;) {
    const day = random.int(first, next - 1);
    const weekday = (day + 4) % 7;
    if ((weekday !== 0 && weekday !== 6) || random.chance(0.03)) return day;
  }
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
