export interface PaceLimit {
  key: string;
  /** One call each. */
  intervalMs: number;
  /** Calls that may be made at once after a rest. At least 1. */
  burst: number;
}

/** Where paces are kept, for all processes together. */
export interface PaceStore {
  /** Takes the next slot of each limit. Returns how long to wait for it, in ms; 0 for now. */
  reserve(limits: readonly PaceLimit[]): Promise<number>;
  /** Takes a slot only when much of the burst is left: 0 when it did, else how long until that may be so, in ms. */
  reserveSpare(limit: PaceLimit): Promise<number>;
  /** No slot comes before this time is over. */
  hold(limit: PaceLimit, forMs: number): Promise<void>;
  /** How long the longest of these is held, in ms; 0 when none is. */
  heldMs(keys: readonly string[]): Promise<number>;
  /** Drops what has been at rest for this long. */
  forget(olderThanMs: number): Promise<void>;
}
