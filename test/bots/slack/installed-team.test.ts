import { describe, expect, it } from "vitest";
import { installedTeam } from "../../../bots/slack/installed-team.ts";

describe("the installation a payload is for", () => {
  it.each([
    [
      "an event of a workspace",
      { team_id: "T01", authorizations: [{ team_id: "T01", enterprise_id: null, is_enterprise_install: false }] },
      "T01",
    ],
    ["an event without authorizations", { team_id: "T01", enterprise_id: "E01" }, "T01"],
    [
      "an event of an org-wide install",
      {
        team_id: "T01",
        enterprise_id: "E01",
        authorizations: [{ team_id: "T01", enterprise_id: "E01", is_enterprise_install: true }],
      },
      "E01",
    ],
    [
      "an event of one workspace in an organisation",
      {
        team_id: "T01",
        enterprise_id: "E01",
        authorizations: [{ team_id: "T01", enterprise_id: "E01", is_enterprise_install: false }],
      },
      "T01",
    ],
    [
      "a shared channel: the side with the app, not the one that wrote",
      {
        team_id: "T99",
        is_ext_shared_channel: true,
        authorizations: [{ team_id: "T01", enterprise_id: null, is_enterprise_install: false }],
      },
      "T01",
    ],
    ["a command", { team_id: "T01", is_enterprise_install: "false", enterprise_id: "E01" }, "T01"],
    [
      "a command of an org-wide install",
      { team_id: "T01", is_enterprise_install: "true", enterprise_id: "E01" },
      "E01",
    ],
    ["a press", { team: { id: "T01", domain: "acme" }, user: { id: "U1", team_id: "T02" }, enterprise: null }, "T01"],
    [
      "a press under an org-wide install",
      {
        team: null,
        enterprise: { id: "E01", name: "Org" },
        is_enterprise_install: true,
        user: { id: "U1", team_id: "T02" },
      },
      "E01",
    ],
    [
      "a modal opened from another workspace",
      { team: { id: "T02" }, view: { app_installed_team_id: "T01" }, user: { id: "U1" } },
      "T01",
    ],
  ])("%s", (_, body, team) => {
    expect(installedTeam(body)).toBe(team);
  });

  it.each([[null], ["text"], [{}], [{ team_id: 7 }]])("is not told by %j", (body) => {
    expect(installedTeam(body)).toBeNull();
  });
});
