import { z } from "zod";

const NAME_CHARS_MAX = 255;
const POSIX_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What the shell and the programs of a sandbox find their way by, and what could make them load an agent's code. */
const SANDBOX_NAMES = new Set(
  [
    "PATH HOME USER LOGNAME SHELL PWD OLDPWD TMPDIR TERM LANG LANGUAGE TZ IFS ENV CDPATH PS1 PS2 PS4 PROMPT_COMMAND",
    "SHELLOPTS BASHOPTS BASH_ENV BASH_XTRACEFD EUID UID PPID HOSTNAME RANDOM SECONDS LINENO OPTIND OPTARG",
    "SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_NO_VERIFY PIP_CERT",
    "NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_USE_ENV_PROXY NODE_TLS_REJECT_UNAUTHORIZED NPM_CONFIG_PREFIX",
    "PYTHONPATH PYTHONHOME PYTHONSTARTUP PERL5OPT PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS GLIBC_TUNABLES",
  ].flatMap((line) => line.split(" ")),
);
const SANDBOX_PATTERN = /^(LD_|DYLD_|LC_|BASH_FUNC_|DECKHAND_)|_PROXY$/;

/** A variable that a credential may have: a name that a shell takes, and none that the sandbox itself needs. */
export const SecretName = z
  .string()
  .max(NAME_CHARS_MAX)
  .regex(POSIX_NAME, { error: "must be a variable's name: letters, digits and _, and no digit first" })
  .refine((name) => !SANDBOX_NAMES.has(name.toUpperCase()) && !SANDBOX_PATTERN.test(name.toUpperCase()), {
    error: "is a variable that the sandbox itself needs; give the secret another name",
  });
