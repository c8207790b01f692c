import { z } from "zod";

const Authorization = z.object({
  team_id: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().nullish(),
});

/** What any payload of Slack may say of the installation that it is for. Slash commands are forms: their booleans are strings. */
const Origin = z.object({
  authorizations: z.array(Authorization).nullish(),
  is_enterprise_install: z
    .union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")])
    .nullish(),
  enterprise_id: z.string().nullish(),
  team_id: z.string().nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  team: z.object({ id: z.string(), enterprise_id: z.string().nullish() }).nullish(),
  user: z.object({ team_id: z.string().nullish() }).nullish(),
  view: z.object({ app_installed_team_id: z.string().nullish() }).nullish(),
});

/**
 * Pure: the installation that a payload is for, as thread keys name it: the enterprise of an org-wide install, else the
 * team. In a channel shared between organisations that is the side on which the app is installed, whoever wrote. Null when the
 * payload tells neither.
 */
export function installedTeam(body: unknown): string | null {
  const parsed = Origin.safeParse(body);
  if (!parsed.success) return null;
  const origin = parsed.data;
  const [authorization] = origin.authorizations ?? [];
  if (authorization) {
    const { team_id: team, enterprise_id: enterprise, is_enterprise_install: orgWide } = authorization;
    return (orgWide === true ? enterprise : team) ?? enterprise ?? null;
  }
  const enterprise = origin.enterprise?.id ?? origin.enterprise_id ?? origin.team?.enterprise_id ?? null;
  if (origin.is_enterprise_install === true && enterprise !== null) return enterprise;
  return origin.view?.app_installed_team_id ?? origin.team?.id ?? origin.team_id ?? origin.user?.team_id ?? enterprise;
}
