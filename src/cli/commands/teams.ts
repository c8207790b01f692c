import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { APP_NAME_CHARS_MAX, COLOR_ICON, OUTLINE_ICON, teamsManifest } from "../../../bots/teams/manifest.ts";
import { loadConfig, teamsAppId } from "../../config.ts";
import { findingLines } from "../checks/chat-finding.ts";
import { checkTeams } from "../checks/teams.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";
import { zip } from "../zip.ts";

const DEFAULT_NAME = "Deckhand";
const DEFAULT_OUT = "deckhand-teams.zip";
const ICONS = "bots/teams/icons";
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VERSION = /^(?:0|[1-9]\d{0,4})(?:\.(?:0|[1-9]\d{0,4})){2}$/;
const Package = z.looseObject({ version: z.string() });

export const command: Command = {
  summary: "Make the Teams app's package; check credentials, permissions and the endpoint",
  usage: `Usage: deckhand teams package --url URL [--name NAME] [--out FILE] [--context] [--app-id ID] [--version X.Y.Z]
       deckhand teams check [--json]

package writes the zip that is uploaded to Teams: the manifest and the app's two icons.
check asks Microsoft and the API with the settings there are, and says what is missing and what it can't tell. It changes
nothing. Ends with 1 when something is missing.

Options of package:
  --url URL       Where people's browsers reach Deckhand, as in https://deckhand.example.com.
  --name NAME     What the app is called, up to ${APP_NAME_CHARS_MAX} characters. ${DEFAULT_NAME} by default.
  --out FILE      ${DEFAULT_OUT} by default.
  --context       The app reads the threads and chats it is added to, not only what mentions it.
  --app-id ID     The app's id in Entra. MICROSOFT_APP_ID by default.
  --version X.Y.Z Deckhand's own by default. Teams takes a changed package only under a higher one.

Options of check:
  --json          The findings as one JSON object.`,

  async run([action, ...args], io) {
    switch (action) {
      case "package":
        return await writePackage(args, io);
      case "check":
        return await check(args, io);
      default:
        throw new UsageError(
          `${action === undefined ? "say what to do" : `there is no \`teams ${action}\``}: package or check.`,
        );
    }
  },
};

async function writePackage(args: string[], { root, cwd, stdout }: CommandIo): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: "string" },
      name: { type: "string" },
      out: { type: "string" },
      context: { type: "boolean" },
      "app-id": { type: "string" },
      version: { type: "string" },
    },
  });
  if (values.url === undefined) throw new UsageError("--url is missing: where people's browsers reach Deckhand.");
  const manifest = teamsManifest({
    botAppId: appId(values["app-id"] ?? teamsAppId()),
    name: appName(values.name ?? DEFAULT_NAME),
    url: serverUrl(values.url),
    readsContext: values.context === true,
    version: appVersion(values.version ?? (await ownVersion(root))),
  });
  const icon = async (name: string) => ({ path: name, bytes: await readFile(path.join(root, ICONS, name)) });
  const entries = [
    { path: "manifest.json", bytes: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) },
    await icon(OUTLINE_ICON),
    await icon(COLOR_ICON),
  ];
  const out = path.resolve(cwd, values.out ?? DEFAULT_OUT);
  await writeFile(out, zip(entries));
  stdout.write(`${out}\n`);
  return 0;
}

async function check(args: string[], { root, stdout, signal }: CommandIo): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const findings = await checkTeams(loadConfig(root), signal);
  const ok = findings.every(({ state }) => state !== "missing");
  stdout.write(values.json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : findingLines(findings));
  return ok ? 0 : 1;
}

function appId(given: string | null): string {
  if (given === null) throw new UsageError("--app-id is missing, and MICROSOFT_APP_ID is not set.");
  if (!GUID.test(given))
    throw new UsageError(`${given} is no app id: it looks like 00000000-0000-0000-0000-000000000000.`);
  return given.toLowerCase();
}

function appName(given: string): string {
  const name = given.trim();
  if (name !== "" && name.length <= APP_NAME_CHARS_MAX) return name;
  throw new UsageError(
    `--name takes 1 to ${APP_NAME_CHARS_MAX} characters; ${JSON.stringify(given)} has ${name.length}.`,
  );
}

function appVersion(given: string): string {
  if (VERSION.test(given)) return given;
  throw new UsageError(`--version ${given} is not three numbers, such as 1.0.0.`);
}

/** Teams takes nothing but https. */
function serverUrl(given: string): URL {
  const url = URL.parse(given);
  if (url?.protocol !== "https:") throw new UsageError(`--url ${given} is not an https:// URL.`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "")
    throw new UsageError(`--url is the address of a server, such as ${url.origin}, with nothing behind it.`);
  return url;
}

async function ownVersion(root: string): Promise<string> {
  return Package.parse(JSON.parse(await readFile(path.join(root, "package.json"), "utf8"))).version;
}
