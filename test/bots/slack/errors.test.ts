import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from "@slack/web-api";
import { describe, expect, it } from "vitest";
import { rateLimitMs, slackError, SlackRefusedError } from "../../../bots/slack/errors.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";

const platform = (error: string) => new WebAPIPlatformError({ ok: false, error });

describe("what Slack's errors mean", () => {
  it.each([
    platform("internal_error"),
    platform("service_unavailable"),
    platform("token_expired"),
    platform("<html>502 Bad Gateway</html>"),
    new WebAPIHTTPError(503, "Service Unavailable", {}),
    new WebAPIHTTPError(408, "Request Timeout", {}),
    new WebAPIRequestError(new Error("ECONNRESET")),
    new Error("Retry header did not contain a valid timeout"),
  ])("%s may be tried again, no sooner than the caller likes", (error) => {
    const sorted = slackError(error);
    expect(sorted).toBeInstanceOf(RetryableError);
    expect(rateLimitMs(sorted)).toBeNull();
  });

  it.each([
    [new WebAPIRateLimitedError(12), 12_000],
    [platform("ratelimited"), 30_000],
  ])("%s is waited out by everybody", (error, ms) => {
    const sorted = slackError(error);
    expect(sorted).toMatchObject({ retryAfterMs: ms });
    expect(rateLimitMs(sorted)).toBe(ms);
  });

  it.each([
    ["not_in_channel", "/invite"],
    ["channel_not_found", "/invite"],
    ["is_archived", "archived"],
    ["restricted_action", "admin"],
    ["msg_too_long", "size"],
    ["invalid_auth", "install the app again"],
    ["account_inactive", "install the app again"],
    ["token_revoked", "install the app again"],
    ["missing_scope", "slack check"],
    ["file_uploads_disabled", "does not allow files"],
    ["file_upload_size_restricted", "larger than"],
    ["file_type_not_allowed", "of this type"],
    ["something_new", "log"],
  ])("%s is for good, and people are told in words", (code, words) => {
    const sorted = slackError(platform(code));
    expect(sorted).toBeInstanceOf(TerminalError);
    expect(sorted).toMatchObject({ slackError: code });
    expect(sorted.message).toContain(words);
    expect(sorted.message).not.toContain(code);
  });

  it("keeps what Slack says in detail for the log", () => {
    const messages = ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"];
    const error = new WebAPIPlatformError({ ok: false, error: "invalid_blocks", response_metadata: { messages } });
    expect(slackError(error)).toMatchObject({ problems: messages });
  });

  it("leaves alone what is sorted already", () => {
    for (const error of [new RetryableError("later"), new TerminalError("never"), new SlackRefusedError("is_archived")])
      expect(slackError(error)).toBe(error);
  });
});
