import { parseArgs } from "node:util";
import { APP_NAME_CHARS_MAX, slackManifest } from "../../../bots/slack/manifest.ts";
import { loadConfig } from "../../config.ts";
import { findingLines } from "../checks/chat-finding.ts";
import { checkSlack } from "../checks/slack.ts";
import { type Command, type CommandIo, UsageError } from "../command.ts";
import { toYaml } from "../yaml.ts";

const DEFAULT_NAME = "Deckhand";

export const command: Command = {
  summary: "Print the Slack app's manifest; check tokens, scopes and what the app can do",
  usage: `Usage: deckhand slack manifest [--socket | --http URL] [--oauth URL] [--name NAME] [--yaml]
       deckhand slack check [--json]

manifest prints what to paste where api.slack.com/apps asks for an app manifest.
check asks Slack and the API with the settings there are, and says what is missing and what it can't tell. It changes
nothing. Ends with 1 when something is missing.

Options of manifest:
  --socket      Events come by Socket Mode, which needs no public address. The default.
  --http URL    Slack posts events to this server, as in https://deckhand.example.com.
  --oauth URL   People install the app in their own workspaces at this server; turns token rotation on.
  --name NAME   What the app is called, up to ${APP_NAME_CHARS_MAX} characters. ${DEFAULT_NAME} by default.
  --json, --yaml   JSON by default.

Options of check:
  --json        The findings as one JSON object.`,

  async run([action, ...args], io) {
    switch (action) {
      case "manifest":
        return printManifest(args, io);
      case "check":
        return check(args, io);
      default:
        throw new UsageError(
          `${action === undefined ? "say what to do" : `there is no \`slack ${action}\``}: manifest or check.`,
        );
    }
  },
};

function printManifest(args: string[], { stdout }: CommandIo): number {
  const { values } = parseArgs({
    args,
    options: {
      socket: { type: "boolean" },
      http: { type: "string" },
      oauth: { type: "string" },
      name: { type: "string" },
      json: { type: "boolean" },
      yaml: { type: "boolean" },
    },
  });
  if (values.socket && values.http !== undefined) throw new UsageError("--socket and --http exclude each other.");
  if (values.json && values.yaml) throw new UsageError("--json and --yaml exclude each other.");
  const manifest = slackManifest({
    name: appName(values.name ?? DEFAULT_NAME),
    eventsUrl: values.http === undefined ? null : serverUrl("--http", values.http),
    installUrl: values.oauth === undefined ? null : serverUrl("--oauth", values.oauth),
  });
  stdout.write(values.yaml ? toYaml(manifest) : `${JSON.stringify(manifest, null, 2)}\n`);
  return 0;
}

async function check(args: string[], { root, stdout, signal }: CommandIo): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const findings = await checkSlack(loadConfig(root), signal);
  const ok = findings.every(({ state }) => state !== "missing");
  if (values.json) stdout.write(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else stdout.write(findingLines(findings));
  return ok ? 0 : 1;
}

function appName(given: string): string {
  const name = given.trim();
  if (name !== "" && name.length <= APP_NAME_CHARS_MAX) return name;
  throw new UsageError(
    `--name takes 1 to ${APP_NAME_CHARS_MAX} characters; ${JSON.stringify(given)} has ${name.length}.`,
  );
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Slack refuses anything but https; a loopback address is for a Slack that runs on this machine. */
function serverUrl(option: string, given: string): URL {
  const url = URL.parse(given);
  const fits = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (!url || !fits) throw new UsageError(`${option} ${given} is not an https:// URL.`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "")
    throw new UsageError(`${option} is the address of a server, such as ${url.origin}, with nothing behind it.`);
  return url;
}
