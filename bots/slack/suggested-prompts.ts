/** What somebody who opens a conversation with the agent may want to say. Slack takes four. */
export const SUGGESTED_PROMPTS = [
  {
    title: "Build a report",
    message: "Build a report with charts from the file I attach, and a short deck for my team.",
  },
  { title: "Clean up a table", message: "Clean up the table I attach and tell me what was wrong with it." },
  { title: "Summarise a document", message: "Summarise the document I attach on one page." },
  { title: "What can you do?", message: "What can you do for me?" },
];
