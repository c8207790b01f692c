const PORT = /^(?<host>\[.+\]|[^:]+):(?<port>\d{1,5})$/;
const USUAL_PORTS: readonly number[] = [80, 443];

/**
 * Whether `example.com`, `*.example.com` (what is below it, not itself), each also with `:port`, means this host. Without
 * a port of its own a pattern means 80 and 443.
 * @param host in lower case
 */
export function hostPatternMatches(pattern: string, host: string, port: number): boolean {
  const parts = PORT.exec(pattern)?.groups;
  const name = (parts?.["host"] ?? pattern).toLowerCase();
  const ports = parts?.["port"] === undefined ? USUAL_PORTS : [Number(parts["port"])];
  return ports.includes(port) && (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name);
}
