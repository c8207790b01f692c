const SANDBOX = `# Your machine
Your tools work in a Linux sandbox of your own, without a network. You start in /workspace and may write there, in
/tmp and in your home folder. The shell keeps its state between calls. Files that you were given are read-only below
/mnt/session/uploads. Whatever you put below /mnt/session/outputs is delivered to the user when your turn ends: put
finished work there, under names a person would choose, and nothing else.
Python 3 (pandas, openpyxl, xlsxwriter, python-docx, matplotlib, reportlab), Node.js (pptxgenjs, exceljs, docx),
LibreOffice (soffice --headless) and pdftoppm are installed.`;

/** The agent's own instructions, then what is true of every sandbox. Stable from request to request, so that it caches. */
export function systemPrompt(own: string | null, uploads: readonly string[]): string {
  const parts = [SANDBOX];
  if (own) parts.unshift(own);
  if (uploads.length > 0) parts.push(`# Files that you were given\n${uploads.map((path) => `- ${path}`).join("\n")}`);
  return parts.join("\n\n");
}
