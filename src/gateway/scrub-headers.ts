import { type HeaderList } from "./header-list.ts";
import type { Scrubber } from "./scrub.ts";

/** Names and values without what the scrubber looks for. */
export const scrubHeaders = (headers: HeaderList, scrubber: Scrubber): HeaderList =>
  headers.map(([name, value]) => [scrubber.text(name), scrubber.text(value)] as const);
