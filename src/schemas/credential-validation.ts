import { z } from "zod";
import { Timestamp } from "./primitives.ts";

/** What a server answered, without secrets and cut to a readable length. */
export const CapturedResponse = z.object({
  status_code: z.number().int(),
  /** Empty when there was none. */
  content_type: z.string(),
  body: z.string(),
  body_truncated: z.boolean(),
});
export type CapturedResponse = z.infer<typeof CapturedResponse>;

export const CredentialRefreshReport = z.object({
  status: z.enum(["succeeded", "failed", "connect_error", "no_refresh_token"]),
  /** Null unless it failed. */
  http_response: CapturedResponse.nullable(),
});
export type CredentialRefreshReport = z.infer<typeof CredentialRefreshReport>;

export const McpProbeReport = z.object({
  /** The step that failed, such as `initialize` or `tools/list`. */
  method: z.string(),
  /** Null when there was no answer. */
  http_response: CapturedResponse.nullable(),
});
export type McpProbeReport = z.infer<typeof McpProbeReport>;

export const CredentialValidation = z
  .object({
    type: z.literal("vault_credential_validation"),
    credential_id: z.string(),
    vault_id: z.string(),
    status: z.enum(["valid", "invalid", "unknown"]),
    has_refresh_token: z.boolean(),
    /** Null when the server took the credential. */
    mcp_probe: McpProbeReport.nullable(),
    /** Null when the server did not answer 401. */
    refresh: CredentialRefreshReport.nullable(),
    validated_at: Timestamp,
  })
  .meta({ id: "CredentialValidation" });
export type CredentialValidation = z.infer<typeof CredentialValidation>;
