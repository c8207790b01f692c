import { defineConfig } from "vitest/config";

/**
 * The suffix of a file decides: `.test.ts` needs no services, `.int.test.ts` Postgres, Redis or Docker, `.e2e.test.ts`
 * the whole product. The projects run one after the other. Servers want processor time beside the tests, so fewer files
 * run at once than there are cores.
 */
const WORKERS = 3;
const INT_TIMEOUT_MS = 30_000;
const E2E_TIMEOUT_MS = 180_000;
/** Two starts of processes, each with its own limit, which says more than this one does. */
const E2E_HOOK_TIMEOUT_MS = 330_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.int.test.ts", "test/**/*.e2e.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "int",
          include: ["test/**/*.int.test.ts"],
          globalSetup: "test/support/global-setup.ts",
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
          testTimeout: INT_TIMEOUT_MS,
          hookTimeout: INT_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/**/*.e2e.test.ts"],
          globalSetup: "test/support/global-setup.ts",
          maxWorkers: WORKERS,
          sequence: { groupOrder: 2 },
          testTimeout: E2E_TIMEOUT_MS,
          hookTimeout: E2E_HOOK_TIMEOUT_MS,
        },
      },
    ],
  },
});
