import { z } from "zod";
import { tool } from "./tool.ts";

const TIMEOUT_MS_MAX = 60 * 60 * 1000;

const Input = z
  .strictObject({
    command: z.string().min(1).optional().describe("What to run. May be a script of many lines."),
    restart: z.boolean().optional().describe("End the shell and all it started, and begin with a fresh one."),
    timeout_ms: z
      .int()
      .min(1)
      .max(TIMEOUT_MS_MAX)
      .optional()
      .describe("Milliseconds after which the command is killed. 120000 when left out."),
  })
  .refine(({ command, restart }) => command !== undefined || restart === true, {
    path: ["command"],
    message: "is required unless restart is true",
  });

export const bash = tool({
  name: "bash",
  description: `Runs a command in a persistent bash shell.

The working directory, variables and functions stay from one call to the next; the shell starts in /workspace. You get stdout and stderr together, the last 100 KiB of them. A status other than 0 makes the result an error. stdin is empty, so pass -y and the like. After a timeout the shell is killed with everything that was started in it, and the next call begins with a new one.

Start servers in the background (\`server >server.log 2>&1 &\`): what a background process prints after its call has ended is shown nowhere else. Installed: python3 with pandas, openpyxl, xlsxwriter, matplotlib, python-docx, reportlab, lxml and pillow; node with pptxgenjs, exceljs and docx; LibreOffice (soffice --headless), pdftotext, pdftoppm, git, rg, fd, jq, curl, zip.

The network is reached through a proxy only, and only as far as this session's environment allows; the proxy variables are set, so curl, git, pip, npm, python and node need no options. A host that is refused answers 403 with the reason (\`curl -i\` shows it; for https it is in the line that follows the output): it can't be got around, so say what was refused or do without. There is no root: \`pip install\` and \`npm install -g\` go into your home, and \`apt-get update\` and \`apt-get install\` unpack Debian packages into ~/.apt without running their set-up scripts.

Put every file the user should receive in /mnt/session/outputs. Files the user sent are in /mnt/session/uploads, read-only. To look at a file use read, to find files glob, to search in them grep.`,
  input: Input,
  toOp: ({ command, restart, timeout_ms }) => ({
    op: "bash",
    ...(command === undefined ? {} : { command }),
    ...(restart === undefined ? {} : { restart }),
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
  }),
});
