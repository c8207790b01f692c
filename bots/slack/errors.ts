import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from "@slack/web-api";
import { RetryableError, TerminalError } from "../../src/errors.ts";

/** Slack answered `ok: false`, and will again. The message is for people; `slackError` is Slack's code, for decisions and logs. */
export class SlackRefusedError extends TerminalError {
  override readonly name = "SlackRefusedError";
  readonly slackError: string;
  /** What Slack says in detail, for whoever mends it; often nothing. */
  readonly problems: readonly string[];

  constructor(slackError: string, options: ErrorOptions & { problems?: readonly string[] } = {}) {
    super(words(slackError), options);
    this.slackError = slackError;
    this.problems = options.problems ?? [];
  }
}

/** Whether Slack refused with one of these codes. */
export function refusedWith(error: unknown, codes: ReadonlySet<string>): error is SlackRefusedError {
  return error instanceof SlackRefusedError && codes.has(error.slackError);
}

/** Pure: an error of the Web API's client, sorted into what may be tried again and what may not. */
export function slackError(error: unknown): RetryableError | TerminalError {
  if (error instanceof RetryableError || error instanceof TerminalError) return error;
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter * 1000, error);
  if (error instanceof WebAPIPlatformError) {
    const { error: code, response_metadata: metadata } = error.data;
    if (RATE_LIMITS.has(code)) return rateLimited((metadata?.retryAfter ?? DEFAULT_RETRY_SECONDS) * 1000, error);
    // A body that is not JSON arrives here as the code: an error page of something in between.
    if (PASSING.has(code) || !CODE.test(code))
      return new RetryableError("Slack has a problem right now.", { cause: error });
    return new SlackRefusedError(code, { cause: error, problems: metadata?.messages ?? [] });
  }
  if (error instanceof WebAPIHTTPError) return httpError(error);
  if (error instanceof WebAPIRequestError)
    return new RetryableError("Slack can't be reached right now.", { cause: error });
  // What is left is a 429 without `Retry-After`, and what the transport throws.
  return new RetryableError("The call to Slack failed.", { cause: error });
}

/** How long Slack asked everybody to wait; null when it did not. */
export function rateLimitMs(error: unknown): number | null {
  return error instanceof SlackRateLimitedError ? error.retryAfterMs : null;
}

class SlackRateLimitedError extends RetryableError {
  override readonly name = "SlackRateLimitedError";
}

const DEFAULT_RETRY_SECONDS = 30;
const CODE = /^[a-z0-9_.:-]{1,120}$/i;
const RATE_LIMITS = new Set(["ratelimited", "rate_limited", "message_limit_exceeded", "rate_limit_exceeded"]);
const PASSING = new Set([
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "accesslimited",
  "token_expired",
  "update_failed",
  "could_not_complete",
  "backend_error",
  "temporarily_unavailable",
]);

function rateLimited(retryAfterMs: number, cause: Error): RetryableError {
  return new SlackRateLimitedError("Slack asks us to slow down.", { retryAfterMs, cause });
}

function httpError(error: WebAPIHTTPError): RetryableError | TerminalError {
  const { statusCode } = error;
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429)
    return new RetryableError("Slack has a problem right now.", { cause: error });
  return new SlackRefusedError(`http_${statusCode}`, { cause: error });
}

const DISCONNECTED = "Deckhand is no longer connected to this workspace. Whoever runs it has to install the app again.";
const NOT_HERE = "Deckhand is not in this channel, or the channel is gone. Invite it with `/invite`.";
const TOO_MUCH = "Slack does not take a message of this size.";
const NO_FILES = "this workspace does not allow files to be posted";
const NO_SUCH_FILE_TYPE = "this workspace does not allow files of this type";

/** What Slack's codes mean to people. File codes complete "… was not posted: ". */
const WORDS: Record<string, string> = {
  invalid_auth: DISCONNECTED,
  not_authed: DISCONNECTED,
  account_inactive: DISCONNECTED,
  token_revoked: DISCONNECTED,
  app_uninstalled: DISCONNECTED,
  team_access_not_granted: DISCONNECTED,
  org_login_required: "This workspace is being moved to another organisation. Try again later.",
  not_in_channel: NOT_HERE,
  channel_not_found: NOT_HERE,
  is_archived: "This channel is archived.",
  restricted_action: "An admin of this workspace does not let Deckhand post here.",
  restricted_action_read_only_channel: "This channel is read-only.",
  restricted_action_thread_only_channel: "In this channel only replies in threads are allowed.",
  restricted_action_thread_locked: "This thread is locked.",
  restricted_action_non_threadable_channel: "This channel has no threads.",
  thread_locked: "This thread is locked.",
  cannot_reply_to_message: "Slack does not allow replies to this message.",
  thread_not_found: "This thread is gone.",
  ekm_access_denied: "An admin of this workspace has suspended posting.",
  msg_too_long: TOO_MUCH,
  msg_blocks_too_long: TOO_MUCH,
  no_text: "There is nothing in this message that Slack can show.",
  missing_scope: "Deckhand lacks a permission for this. Whoever runs it can see which with `./deckhand slack check`.",
  no_permission: "Deckhand lacks a permission for this. Whoever runs it can see which with `./deckhand slack check`.",
  user_not_found: "Slack does not know this person.",
  user_not_visible: "Slack does not show this person to Deckhand.",
  file_not_found: "this file is gone, or Deckhand may not see it",
  file_deleted: "this file was deleted",
  file_uploads_disabled: NO_FILES,
  file_uploads_except_images_disabled: "this workspace allows pictures only",
  file_upload_size_restricted: "it is larger than this workspace allows",
  file_type_not_allowed: NO_SUCH_FILE_TYPE,
  blocked_file_type: NO_SUCH_FILE_TYPE,
  slack_connect_file_upload_sharing_blocked: "files may not be posted in a channel shared with another organisation",
  slack_connect_blocked_file_ext: "files of this type may not be posted in a channel shared with another organisation",
  storage_limit_reached: "this workspace has no room for more files",
};

function words(code: string): string {
  return WORDS[code] ?? "Slack did not accept this. Whoever runs Deckhand finds the reason in its log.";
}
