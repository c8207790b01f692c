import { z } from "zod";
import { AppError, messageOf, RetryableError } from "../../src/errors.ts";
import { untilAborted } from "../shared/until-aborted.ts";

/** The parts of an activity that its caller's token has to speak for. */
export interface ClaimedOrigin {
  channelId: string;
  serviceUrl: string;
}

export interface CallerCheckOptions {
  /** Whose tokens are taken. */
  tokenIssuer: string;
  /**
   * What a token says of itself once signature, audience, expiry and endorsements are found good; rejects when they are not,
   * or when that can't be told.
   */
  claimsOf(authorization: string, origin: ClaimedOrigin): Promise<{ issuer: string | null; serviceUrl: string | null }>;
}

/** Includes asking for the issuer's keys. Teams waits 15 s. */
const CHECK_TIMEOUT_MS = 8_000;

const Origin = z.looseObject({ channelId: z.literal("msteams"), serviceUrl: z.url() });
/** How the libraries say that a token is bad; anything else is a failure to find out. */
const Verdict = z.union([
  z.looseObject({ name: z.enum(["JsonWebTokenError", "TokenExpiredError", "NotBeforeError"]) }),
  z.looseObject({ statusCode: z.number().min(400).max(499) }),
]);

/**
 * Whether a request comes from the Bot Connector, and is about the `serviceUrl` that it names. Tokens of the emulator, of
 * other bots and of other channels are none of ours, however good they are: they are not bound to a `serviceUrl`, and our
 * own token goes wherever that points.
 * @throws from the function it returns: AppError `authentication`; RetryableError when it can't be told now
 */
export function createCallerCheck({ tokenIssuer, claimsOf }: CallerCheckOptions) {
  return async (authorization: string | undefined, activity: unknown): Promise<void> => {
    const origin = Origin.safeParse(activity).data;
    if (!origin || authorization === undefined) throw refused();
    const claims = await claimsNow(authorization, origin);
    if (claims.issuer !== tokenIssuer || claims.serviceUrl !== origin.serviceUrl) throw refused();
  };

  async function claimsNow(authorization: string, origin: ClaimedOrigin) {
    try {
      return await untilAborted(claimsOf(authorization, origin), AbortSignal.timeout(CHECK_TIMEOUT_MS));
    } catch (error) {
      if (Verdict.safeParse(error).success) throw refused(error);
      throw new RetryableError(`It can't be told now whether Teams is calling: ${messageOf(error)}`, { cause: error });
    }
  }
}

function refused(cause?: unknown): AppError {
  return new AppError("authentication", "This request is not from the Bot Connector.", { cause });
}
