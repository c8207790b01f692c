/**
 * Makes the demo's data set: SYNTHETIC orders of an equipment distributor that does not exist. No row describes a real
 * company, person or sale. The same seed gives the same bytes.
 *
 *   node demo/generate.ts > demo/equipment-orders.csv
 *
 * `orders.ts` decides what happened (seasons, a region in decline, a product line taking off, discounts slipping);
 * `dirt.ts` then spoils how it is written down, the way exports from several systems, glued together by hand, are.
 */
import { dirtyCsv } from "./dirt.ts";
import { makeOrders } from "./orders.ts";
import { seededRandom } from "./random.ts";

const SEED = 20_250_703;

process.stdout.write(dirtyCsv(makeOrders(seededRandom(SEED)), seededRandom(SEED + 1)));
