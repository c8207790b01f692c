import { expect } from "vitest";
import { attemptsIn } from "./support/attempt.ts";
import type { Planted } from "./support/planted.ts";
import { attemptPackages } from "./support/registries.ts";
import type { SandboxAttempt } from "./support/sandbox-attempts.ts";

const REFUSAL =
  "denied.test is not allowed: this environment's networking is limited, and the host is not among its allowed_hosts.";

/** One host, and package managers only where they are allowed. */
export function attemptLimited(attempt: SandboxAttempt, withPackages: SandboxAttempt, planted: () => Planted): void {
  const url = "other.test{a}/";
  attempt("curl to the host", "200; other.test got neither", `curl(f"https://${url}")`);
  attempt("curl to the host over plain http", "200; other.test (plain http) got neither", `curl(f"http://${url}")`);
  attempt("curl to another", "403 host_not_allowed; nothing arrived", `curl(f"https://denied.test{a}/")`);
  attempt(
    "the text of the refusal",
    REFUSAL,
    `json.loads(run("curl", "-s", f"http://denied.test{a}/"))["error"]["message"]`,
  );
  attemptPackages(attempt, "is refused", "refused");
  attemptPackages(withPackages, "with allow_package_managers", "installed");
  attemptsIn("limited")("what the model is told of a refusal", "host and rule", async () => {
    const told = await planted().one.bash("curl -s https://denied.test/");
    expect(told).toContain("refused: host denied.test is not in this environment's allowed_hosts");
    return "host and rule";
  });
}
