import type { AnalysisResult, CheckResult, CleanResult } from "./results.ts";

const FINDINGS_MAX = 5;
const ISSUES_MAX = 3;
const REASON_CHARS_MAX = 600;

/** The last message of a run that went well: findings first, then what was made, then what to be careful about. */
export function closingWords(cleaned: CleanResult, analysis: AnalysisResult, checked: CheckResult): string {
  const findings = analysis.findings
    .slice(0, FINDINGS_MAX)
    .map(({ headline, text }) => `- ${headline}. ${text}`.trim());
  return [scope(analysis), findings.join("\n"), deliverables(checked), cautions(cleaned, analysis, checked)].join(
    "\n\n",
  );
}

/** The last message of a run that could not go on. */
export function failureWords(step: string, output: string): string {
  const reason = output.trim().slice(-REASON_CHARS_MAX);
  return `I have to stop here: ${step} failed twice, and a script cannot find a way around it. The last output was:\n\n\`\`\`\n${reason}\n\`\`\``;
}

function scope({ measure, total, records, span }: AnalysisResult): string {
  const what =
    measure === "Records"
      ? `${records.toLocaleString("en")} records`
      : `${measure}: ${total} in ${records.toLocaleString("en")} records`;
  return `${what}${span ? `, ${span}` : ""}. What the data says:`;
}

function deliverables({ sheets, formulas, slides, deck_charts }: CheckResult): string {
  const workbook = `report.xlsx has ${sheets ?? 0} sheets and ${formulas ?? 0} formulas; LibreOffice computed every one to the value stored in it.`;
  if (slides === undefined) return `${workbook} There is no deck, as you asked.`;
  return `${workbook} deck.pptx has ${slides} slides and ${deck_charts ?? 0} charts.`;
}

function cautions(cleaned: CleanResult, analysis: AnalysisResult, checked: CheckResult): string {
  const removed = cleaned.rows_read - cleaned.rows_kept;
  const lines = [
    removed > 0
      ? `${removed.toLocaleString("en")} of ${cleaned.rows_read.toLocaleString("en")} rows were duplicates and are left out.`
      : null,
    analysis.held.rows > 0
      ? `${analysis.held.rows.toLocaleString("en")} records (${analysis.held.text}) are held out of all figures because ${analysis.held.why}; please check them.`
      : null,
    issueLine(cleaned),
    checked.problems.length > 0 ? `My checks still find fault: ${checked.problems.slice(0, 3).join("; ")}.` : null,
  ].filter((line) => line !== null);
  return lines.length > 0 ? `On the data: ${lines.join(" ")}` : "The data needed no mending.";
}

function issueLine({ issues }: CleanResult): string | null {
  if (issues.length === 0) return null;
  const named = issues
    .slice(0, ISSUES_MAX)
    .map(({ column, what, count }) => `${column}: ${lowerFirst(what)} (${count.toLocaleString("en")})`);
  return `Most frequent issues: ${named.join("; ")}. The Data quality sheet has them all.`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
