/**
 * Prints the demo's data set, which is SYNTHETIC: no row describes a real company, person or sale.
 *
 *   node demo/generate.ts > demo/equipment-orders.csv
 *
 * `orders.ts` decides what happened (seasons, a region in decline, a product line taking off, discounts slipping);
 * `dirt.ts` then spoils how it is written down, the way exports from several systems, glued together by hand, are.
 */
import { equipmentOrders } from "./data-set.ts";

process.stdout.write(equipmentOrders());
