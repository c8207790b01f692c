import {
  APT_SOURCE,
  aptRegistry,
  NPM_REGISTRY,
  npmRegistry,
  PIP_INDEX,
  pipRegistry,
} from "../../fakes/package-registries.ts";
import type { Hosts } from "./hosts.ts";
import type { SandboxAttempt } from "./sandbox-attempts.ts";

const APT = "-o Dir::Etc::sourcelist=/tmp/tiny.list -o Dir::Etc::sourceparts=/nowhere";
const COMMANDS = {
  apt: `echo 'deb [trusted=yes] http://deb.debian.org/ ./' >/tmp/tiny.list; apt-get ${APT} update && apt-get ${APT} install tinyapt && tinyapt`,
  npm: "npm install --global --fetch-retries=0 --no-audit --no-update-notifier tinynpm && tinynpm",
  pip: "pip install --retries 0 tinypip && python3 -c 'import tinypip'",
};

/** The registries that package managers ask without being told, with one package each. */
export async function serveRegistries(hosts: Hosts): Promise<void> {
  const tool = { content: "#!/bin/sh\necho tiny\n", mode: 0o755 };
  const registries = {
    "deb.debian.org": [
      APT_SOURCE.split(" ")[2] ?? "",
      await aptRegistry([{ name: "tinyapt", files: { "usr/bin/tinyapt": tool } }]),
    ],
    "registry.npmjs.org": [NPM_REGISTRY, await npmRegistry("tinynpm", "console.log('tiny')")],
    "pypi.org": [new URL("/", PIP_INDEX).href, pipRegistry("tinypip", "print('tiny')")],
  } as const;
  for (const [name, [base, registry]] of Object.entries(registries)) {
    await hosts.add(name, {
      answer:
        ({ target }) =>
        (_, response) => {
          const found = registry.get(base + target.slice(1));
          const isText = found && (found[0] === "{".charCodeAt(0) || found[0] === "<".charCodeAt(0));
          const body = isText ? Buffer.from(found).toString().replaceAll(base, `https://${name}/`) : found;
          const type = target.startsWith("/simple/") ? "text/html" : "application/octet-stream";
          response.writeHead(found ? 200 : 404, { "content-type": type }).end(body);
        },
    });
  }
}

/** With their own settings and default registries. @param expected "installed" or "refused" */
export function attemptPackages(attempt: SandboxAttempt, where: string, expected: string): void {
  for (const [manager, command] of Object.entries(COMMANDS)) {
    attempt(`${manager} ${where}`, expected, `installed(${JSON.stringify(command)})`);
  }
}
