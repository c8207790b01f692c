import type { Equipment } from "./session-equipment.ts";

const SANDBOX = `# Your machine
Your tools work in a Linux sandbox of your own. You start in /workspace and may write there, in /tmp and in your home
folder. The shell keeps its state between calls. Files that you were given are read-only below
/mnt/session/uploads. Whatever you put below /mnt/session/outputs is delivered to the user when your turn ends: put
finished work there, under names a person would choose, and nothing else.
Python 3 (pandas, openpyxl, xlsxwriter, python-docx, matplotlib, reportlab), Node.js (pptxgenjs, exceljs, docx),
LibreOffice (soffice --headless) and pdftoppm are installed.`;

const PROXY =
  "Everything goes through the proxy that HTTP_PROXY and HTTPS_PROXY name, which most programs use by themselves.";

/**
 * The agent's own instructions, then what is true of every sandbox and what the session gives this one. Stable from request
 * to request, so that it caches. Pure.
 * @param equipment null for an agent without tools, who could do nothing with it
 */
export function systemPrompt(own: string | null, equipment: Equipment | null): string {
  const parts = [own, SANDBOX, ...(equipment ? sections(equipment) : [])];
  return parts.filter((part) => part !== null).join("\n\n");
}

function sections({ files, repositories, variables, networking }: Equipment): (string | null)[] {
  return [
    `# Network\n${network(networking)}`,
    files.length === 0 ? null : `# Files that you were given\n${lines(files.map(({ mountPath }) => mountPath))}`,
    repositories.length === 0 ? null : `# Repositories\n${repositoryLines(repositories)}`,
    variables.length === 0 ? null : `# Credentials\n${variableLines(variables)}`,
  ];
}

function network(networking: Equipment["networking"]): string {
  if (networking.type === "unrestricted") return `Every public host can be reached. ${PROXY}`;
  const { allowed_hosts: hosts, allow_package_managers: packages } = networking;
  const registries = packages ? "The public registries of packages (apt, pip, npm and the like) can be reached." : null;
  const listed = hosts.length > 0 ? `These hosts can be reached:\n${lines(hosts)}` : null;
  if (!registries && !listed) return "No host can be reached.";
  return [listed, registries, `Other hosts are refused with 403. ${PROXY}`].filter((part) => part !== null).join("\n");
}

function repositoryLines(repositories: Equipment["repositories"]): string {
  const cloned = lines(repositories.map(({ mountPath, url }) => `${mountPath}: ${url}`));
  return (
    "They are cloned before your first tool call; one that could not be had is missing. git is already authorised for " +
    `them where that is needed, so fetch and push work without a token.\n${cloned}`
  );
}

function variableLines(variables: Equipment["variables"]): string {
  const named = lines(
    variables.map(
      ({ name, hosts }) => `${name}${hosts ? `, for ${hosts.join(", ")}` : ", for every host you can reach"}`,
    ),
  );
  return (
    "These environment variables hold placeholders. Send them as you would the secret: in HTTPS requests to their hosts " +
    `the secret takes their place on the way, and anywhere else they are worth nothing.\n${named}`
  );
}

const lines = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");
