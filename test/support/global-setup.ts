import type { TestProject } from "vitest/node";
import { createTemplate } from "./database.ts";

export default async function setup(project: TestProject) {
  const url = process.env["TEST_DATABASE_URL"];
  if (!url) throw new Error("TEST_DATABASE_URL is not set");
  const { template, drop } = await createTemplate(url);
  project.provide("postgres", { url, template });
  return drop;
}
