import { isIPv4 } from "node:net";

/** Pure: whether a host, as a setting or a URL names it, is this machine and nobody else. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(?<inner>.*)\]$/, "$<inner>");
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
