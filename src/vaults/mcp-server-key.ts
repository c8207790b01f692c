/**
 * Pure: what two spellings of one MCP server's address have in common, so that a credential counts for both. Paths and
 * queries count as they are written.
 * @param url an absolute URL
 */
export function mcpServerKey(url: string): string {
  const parsed = new URL(url);
  parsed.hash = "";
  return parsed.href;
}
