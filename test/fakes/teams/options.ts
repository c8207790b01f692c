export interface FakeTeamsOptions {
  port?: number;
  /** Another for each fake when left out: SDKs keep tokens by it for as long as the process lives. */
  appId?: string;
  /** The bot's messaging endpoint; null for nowhere, until `deliverTo` says. */
  deliverTo?: URL | null;
  /** Of a bot without credentials: sends no tokens and asks for none. */
  anonymous?: boolean;
  /** Where the app is registered: a tenant, or `multi` for any. */
  registeredIn?: string;
  /** The one registered in place of the password, in PEM. */
  certificate?: string;
  tokenLifetimeSeconds?: number;
  /** The bot hears every message, not only those that mention it. */
  hearsEverything?: boolean;
  /**
   * Messages in channels come with `channelData.team.aadGroupId`. They don't in the documentation, so not when left out:
   * installations tell it, and `GET v3/teams/{id}`.
   */
  groupIdInMessages?: boolean;
  /** How long Teams waits for the bot's answer; 15 s in life. */
  answerWithinMs?: number;
  /** Between the attempts to deliver an activity that got no answer, or a 5xx. */
  redeliveryDelaysMs?: readonly number[];
  streamIntervalMs?: number;
  streamLifetimeMs?: number;
  messageSizeMaxBytes?: number;
  downloadLifetimeMs?: number;
}
