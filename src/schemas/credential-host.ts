import { z } from "zod";

const WILDCARD = "*.";
const HOST_CHARS_MAX = 253;
const HOST = /^(?=.*[a-z0-9])[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const IPV4 = /^\d+(\.\d+){3}$/;

/** `api.example.com`, `192.0.2.1` or `*.example.com`, in lower case. The last one stands for every name below it. */
export const CredentialHost = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine(isHost, {
    error:
      "must be a bare host name such as api.example.com, an IPv4 address, or *. and a host name: no scheme, port, path, " +
      "IPv6 address, or letters beyond ASCII",
  });

function isHost(text: string): boolean {
  const wildcard = text.startsWith(WILDCARD);
  const host = wildcard ? text.slice(WILDCARD.length) : text;
  if (host.length > HOST_CHARS_MAX || !HOST.test(host)) return false;
  if (wildcard && IPV4.test(host)) return false;
  // A URL parser takes hex, octal and short spellings of addresses for what they mean; nobody else has to.
  return URL.parse(`http://${host}/`)?.hostname === host;
}
