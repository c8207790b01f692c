/** Somebody who writes in a chat, as far as the surface tells. */
export interface Person {
  /** The surface's own id: Slack `U…` or `W…`, Teams `aadObjectId`. Unique within a team. */
  id: string;
  /** As people see it. */
  name: string;
  /** Null where the surface does not tell: a missing scope, an outsider. */
  email: string | null;
  /** A guest has a restricted account of this team; an outsider belongs to another organisation. */
  kind: "member" | "guest" | "outsider";
}
