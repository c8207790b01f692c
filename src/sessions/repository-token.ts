/** What the token of a `github_repository` resource is encrypted for: its own row and column. */
export const tokenContext = (resourceId: string): string => `session_resources/${resourceId}/token`;
