/** What `slack check` found out about one thing. */
export interface SlackFinding {
  /** `missing` keeps some of it from working; `cannot_tell` is for a person to look at, or shows at first use. */
  state: "ok" | "missing" | "cannot_tell";
  subject: string;
  detail: string;
  /** What to do about it. */
  mend?: string;
}
