import { dirtyCsv } from "./dirt.ts";
import { makeOrders } from "./orders.ts";
import { seededRandom } from "./random.ts";

const SEED = 20_250_703;

/**
 * The text of `equipment-orders.csv`: SYNTHETIC orders of an equipment distributor that does not exist. No row describes
 * a real company, person or sale. Always the same bytes.
 */
export function equipmentOrders(): string {
  return dirtyCsv(makeOrders(seededRandom(SEED)), seededRandom(SEED + 1));
}
