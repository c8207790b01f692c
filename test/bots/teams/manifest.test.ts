import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { APP_NAME_CHARS_MAX, COLOR_ICON, OUTLINE_ICON, teamsManifest } from "../../../bots/teams/manifest.ts";

const ICONS = path.join(import.meta.dirname, "../../../bots/teams/icons");
const BOT = "11111111-1111-4111-8111-111111111111";

/** The published schema's rules of version 1.29, as far as they are about what is in our manifest. Nothing else may be. */
const Https = z.url({ protocol: /^https$/ }).max(2_048);
const Guid = z.string().regex(/^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/);
const Scope = z.enum(["team", "personal", "groupChat", "copilot"]);
const Command = z.strictObject({ title: z.string().min(1).max(128), description: z.string().min(1).max(4_000) });
const Manifest = z.strictObject({
  $schema: z.literal("https://developer.microsoft.com/json-schemas/teams/v1.29/MicrosoftTeams.schema.json"),
  manifestVersion: z.literal("1.29"),
  version: z
    .string()
    .regex(/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/)
    .max(256),
  id: Guid,
  developer: z.strictObject({
    name: z.string().min(1).max(32),
    websiteUrl: Https,
    privacyUrl: Https,
    termsOfUseUrl: Https,
  }),
  name: z.strictObject({ short: z.string().min(1).max(30), full: z.string().max(100) }),
  description: z.strictObject({ short: z.string().min(1).max(80), full: z.string().min(1).max(4_000) }),
  icons: z.strictObject({ outline: z.string().max(2_048), color: z.string().max(2_048) }),
  accentColor: z.string().regex(/^#[0-9a-fA-F]{6}$/),
  bots: z
    .array(
      z.strictObject({
        botId: Guid,
        scopes: z.array(Scope).min(1).max(3),
        supportsFiles: z.boolean(),
        isNotificationOnly: z.boolean(),
        supportsTargetedMessages: z.boolean(),
        commandLists: z
          .array(
            z.strictObject({
              scopes: z.array(Scope).min(1).max(3),
              triggers: z.array(z.enum(["mention", "slash"])).min(1),
              commands: z.array(Command).min(1).max(12),
            }),
          )
          .max(3),
      }),
    )
    .max(1),
  permissions: z.array(z.enum(["identity", "messageTeamMembers"])),
  validDomains: z
    .array(
      z
        .string()
        .max(2_048)
        .regex(/^[^/:]+(:\d+)?$/),
    )
    .max(16),
  webApplicationInfo: z.strictObject({ id: Guid, resource: z.string().max(2_048) }),
  authorization: z
    .strictObject({
      permissions: z.strictObject({
        resourceSpecific: z
          .array(z.strictObject({ name: z.string().max(128), type: z.enum(["Application", "Delegated"]) }))
          .max(16),
      }),
    })
    .optional(),
});

const made = (more: Partial<Parameters<typeof teamsManifest>[0]> = {}) =>
  teamsManifest({
    botAppId: BOT,
    name: "Deckhand",
    url: new URL("https://deckhand.example.com"),
    readsContext: false,
    version: "1.0.0",
    ...more,
  });

describe("the app's manifest", () => {
  it.each([true, false])("keeps the rules of the published schema (reads context: %s)", (readsContext) => {
    expect(Manifest.safeParse(made({ readsContext, name: "x".repeat(APP_NAME_CHARS_MAX) })).error).toBeUndefined();
  });

  it("asks to read messages only where it is said to", () => {
    expect(made()).not.toHaveProperty("authorization");
    const names = made({ readsContext: true }).authorization?.permissions.resourceSpecific.map(({ name }) => name);
    expect(names).toEqual(["ChannelMessage.Read.Group", "ChatMessage.Read.Chat", "File.Read.Group"]);
  });
});

describe("its icons", () => {
  /** PNG: width, height, depth and colour type stand in the first chunk. 6 is colour with transparency. */
  const header = (name: string) => {
    const bytes = readFileSync(path.join(ICONS, name));
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), colourType: bytes[25] };
  };

  it("have the sizes that Teams asks for, the outline a transparent ground", () => {
    expect(header(COLOR_ICON)).toMatchObject({ width: 192, height: 192 });
    expect(header(OUTLINE_ICON)).toEqual({ width: 32, height: 32, colourType: 6 });
  });
});
