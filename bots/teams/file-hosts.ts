import { isLoopback } from "./loopback.ts";

/**
 * Where OneDrive and SharePoint take and give files: hosts, with `*.` for every host below one; or an origin such as
 * `http://127.0.0.1:4021`, which then counts as it is; or `THIS_MACHINE`.
 */
export type FileHosts = readonly string[];

/** Every port of this machine, also without TLS: for the anonymous mode, in which only this machine is spoken to. */
export const THIS_MACHINE = "this machine";

/** Those of Microsoft's clouds. Nobody else can have a host below them. */
export const MICROSOFT_FILE_HOSTS: FileHosts = [
  "*.sharepoint.com",
  "*.sharepoint.us",
  "*.sharepoint-mil.us",
  "*.sharepoint-df.com",
  "*.sharepoint.cn",
  "*.svc.ms",
  "*.1drv.com",
  "api.onedrive.com",
  "onedrive.live.com",
];

/** Pure: whether a file may be sent to this address, or fetched from it: it came in a message, which could name anything. */
export function isFileAddress(address: string, hosts: FileHosts): boolean {
  const url = URL.parse(address);
  if (!url || url.username !== "" || url.password !== "") return false;
  return hosts.some((host) => {
    if (host === THIS_MACHINE) return /^https?:$/.test(url.protocol) && isLoopback(url.hostname);
    if (host.includes("://")) return url.origin === host;
    if (url.protocol !== "https:" || url.port !== "") return false;
    return host.startsWith("*.") ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
  });
}
