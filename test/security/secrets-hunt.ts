import type { SandboxAttempt } from "./support/sandbox-attempts.ts";

const NOTHING = "nothing found";

/** Looking around inside, after all those requests. */
export function attemptHunt(attempt: SandboxAttempt) {
  attempt(
    "the environment holds placeholders",
    "True",
    `str(all(E[name].startswith("deckhand_placeholder_") for name in ("API_KEY", "FANCY_KEY", "HEADER_KEY", "BODY_KEY", "WILD_KEY")))`,
  );
  attempt(
    "the environment has no variables of tokens for MCP, of the model or the server",
    "[]",
    `str([name for name in E if re.search("TOKEN|SECRET|ANTHROPIC|SLACK|MICROSOFT|MASTER|DECKHAND", name)])`,
  );
  attempt("/proc/*/environ of every process", NOTHING, `hunted(every("environ"))`);
  attempt("the command lines of every process", NOTHING, `hunted(every("cmdline") + run("ps", "auxwwe"))`);
  attempt("every file that can be read", NOTHING, `files_with(FORMS, "/")`);
  attempt(
    "git's config and remotes",
    NOTHING,
    `hunted(run("sh", "-c", "cd /workspace/private && cat .git/config && git config --list --show-origin && git remote -v"))`,
  );
  attempt(
    "git's helpers of credentials",
    NOTHING,
    `hunted(run("sh", "-c", "cd /workspace/private && printf 'protocol=https\\nhost=git.test\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill; cat ~/.git-credentials ~/.netrc"))`,
  );
  attempt(
    "what git says of its requests",
    NOTHING,
    `hunted(run("sh", "-c", "cd /workspace/private && GIT_TRACE=1 GIT_TRACE_CURL=1 GIT_CURL_VERBOSE=1 GIT_TRACE_REDACT=0 git fetch"))`,
  );
  attempt(
    "a push with the token",
    "0",
    `str(subprocess.run("cd /workspace/private && git -c user.name=a -c user.email=a@b.c commit -qm more --allow-empty && git push -q", shell=True).returncode)`,
  );
  attempt(
    "the way out has a socket, certificates and names of this machine, and nothing else",
    "ca.pem gateway.sock hosts",
    `" ".join(sorted(os.listdir("/run/egress")))`,
  );
  attempt("the certificates come without a key", "False", `str("PRIVATE" in open("/run/egress/ca.pem").read())`);
  attempt(
    "a private key of an authority",
    NOTHING,
    `files_with([b"-----BEGIN " + b"PRIVATE KEY", b"-----BEGIN EC " + b"PRIVATE KEY"], "/run", "/workspace", "/home", "/tmp", "/mnt", "/opt/deckhand")`,
  );
  attempt(
    "the folders of other sandboxes",
    "[]",
    `str([line for line in open("/proc/self/mountinfo").read().splitlines() if "/gateway/" in line and " /run/egress " not in line and " /etc/hosts " not in line])`,
  );
}

/** By itself: what looks through files has in its own memory what it looks for. */
export function attemptMemory(attempt: SandboxAttempt) {
  attempt("the memory of the runner, the forwarder and all others", NOTHING, `memory_of_others()`);
}
