import { z } from "zod";

const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const NAME = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
/** No domain ends like this, so what does is meant as an address, in one of the spellings that are read differently by different programs. */
const NUMBER_LAST = /(^|\.)(\d+|0x[0-9a-f]*)$/;
const PORT = /^[1-9]\d{0,4}$/;
const CHARS_MAX = 253;

/**
 * `example.com`, `*.example.com` (all below it, not itself) or an IPv4 address, each also with `:port`. Comes out in lower
 * case.
 */
export const HostPattern = z.string().toLowerCase().refine(isHostPattern, {
  message: "must be a host such as `example.com`, `*.example.com` or `example.com:8443`, without scheme and path",
});

function isHostPattern(text: string): boolean {
  const [host = "", port, ...more] = text.split(":");
  if (more.length > 0 || host.length > CHARS_MAX) return false;
  if (port !== undefined && !(PORT.test(port) && Number(port) <= 65_535)) return false;
  return NUMBER_LAST.test(host) ? IPV4.test(host) : NAME.test(host);
}
