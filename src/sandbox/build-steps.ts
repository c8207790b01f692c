import type { Packages } from "../schemas/environment.ts";
import { EGRESS_DIR } from "./gateway-dirs.ts";

/** A folder of the build's own, which no image has. */
const SCRATCH = "/tmp/deckhand-build";
const PROXY = "http://127.0.0.1:3128";
const NO_PROXY = "localhost,127.0.0.1,::1";
const PACKAGES_SHOWN_MAX = 5;
/** Whom the way out says to trust; behind a proxy that intercepts TLS, the registries' certificates are that proxy's. */
const CAS = `${EGRESS_DIR}/ca.pem`;

const SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt";
const BUNDLE = `${SCRATCH}/ca-bundle.pem`;

/** For every step. None of it is in the image. */
export const BUILD_ENV: readonly string[] = [
  `HOME=${SCRATCH}`,
  ...["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"].map((name) => `${name}=${PROXY}`),
  `NO_PROXY=${NO_PROXY}`,
  `no_proxy=${NO_PROXY}`,
  "DEBIAN_FRONTEND=noninteractive",
  `CARGO_HOME=${SCRATCH}/cargo`,
  `GOPATH=${SCRATCH}/go`,
  "GOBIN=/usr/local/bin",
  "GOFLAGS=-modcacherw",
  "NPM_CONFIG_UPDATE_NOTIFIER=false",
  "PIP_BREAK_SYSTEM_PACKAGES=1",
  "PIP_DISABLE_PIP_VERSION_CHECK=1",
  "PIP_ROOT_USER_ACTION=ignore",
];

export interface BuildStep {
  /** In words, such as `apt: ffmpeg, sox`. */
  name: string;
  /** For `sh -eu`; the packages are its arguments, so that none is ever read as a part of it. */
  script: string;
  args: string[];
}

/** Waits until something listens where the package managers go. */
export const PREPARE = `
umask 022
mkdir -p ${SCRATCH}
exec python3 -E -s -S -c '
import socket, sys, time
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", 3128)).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.05)
sys.exit("The way out could not be opened.")
'`;

export const CLEAN_UP = `rm -rf ${SCRATCH}`;

/** Before each step, since apt may just have brought the usual authorities. */
const TRUST = `
if [ -s ${CAS} ]; then
  export NODE_EXTRA_CA_CERTS=${CAS}
  if [ -s ${SYSTEM_CAS} ]; then
    cat ${SYSTEM_CAS} ${CAS} >${BUNDLE}
    export SSL_CERT_FILE=${BUNDLE} PIP_CERT=${BUNDLE} CARGO_HTTP_CAINFO=${BUNDLE} GIT_SSL_CAINFO=${BUNDLE}
  fi
fi`;

const APT = `
apt-get update -q
# What the later steps compile with, unless the base image has it. Debian keeps a newer cargo under another name.
if [ "$NEEDS_CARGO" ] && ! command -v cargo >/dev/null; then
  if apt-cache show cargo-web >/dev/null 2>&1; then set -- "$@" cargo-web; else set -- "$@" cargo; fi
fi
if [ "$NEEDS_GEM" ] && ! command -v gem >/dev/null; then set -- "$@" ruby ruby-dev build-essential; fi
if [ "$NEEDS_GO" ] && ! command -v go >/dev/null; then set -- "$@" golang-go gcc libc6-dev; fi
if [ $# -gt 0 ]; then
  apt-get install -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io \\
    -o Dpkg::Options::=--force-confold -- "$@"
fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb`;

const CARGO = `cargo install --root /usr/local -- "$@"`;
// What follows a -- is for gem's compiler.
const GEM = `gem install --no-document "$@"`;
const GO = `for package do
  case $package in *@*) ;; *) package=$package@latest ;; esac
  go install -- "$package"
done`;
// Some packages come with files that not everybody may read, or that belong to nobody here.
const NPM = `
npm install --global --prefix /usr/local --no-audit --no-fund --loglevel=error -- "$@"
cd /usr/local/lib/node_modules
find . '(' ! -user root -o ! -group root ')' -exec chown -h root:root '{}' +
find . ! -type l '(' ! -perm -a+r -o -perm /022 ')' -exec chmod a+rX,go-w '{}' +
find . -type d ! -perm -a+x -exec chmod a+rx '{}' +`;
const PIP = `python3 -m pip install --no-cache-dir --no-input --progress-bar off -- "$@"`;

/** What there is to do, in order. apt comes with what the later ones need. Pure. */
export function buildSteps(packages: Packages): BuildStep[] {
  const { apt, cargo, gem, go, npm, pip } = packages;
  const needs = [
    ["NEEDS_CARGO", cargo],
    ["NEEDS_GEM", gem],
    ["NEEDS_GO", go],
  ] as const;
  const wanted = needs.map(([name, list]) => `${name}=${list.length > 0 ? "yes" : ""}`).join("\n");
  const compiles = cargo.length + gem.length + go.length > 0;
  const steps = [
    ...(apt.length > 0 || compiles ? [step("apt", `${wanted}\n${APT}`, apt)] : []),
    step("cargo", CARGO, cargo),
    step("gem", GEM, gem),
    step("go", GO, go),
    step("npm", NPM, npm),
    step("pip", PIP, pip),
  ];
  return steps.filter(({ name, args }) => args.length > 0 || name.startsWith("apt"));
}

function step(manager: string, commands: string, args: string[]): BuildStep {
  const shown = args.slice(0, PACKAGES_SHOWN_MAX);
  const more = args.length - shown.length;
  const names = args.length === 0 ? "compilers" : shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
  return { name: `${manager}: ${names}`, script: `umask 022\ncd ${SCRATCH}\n${TRUST}\n${commands}`, args };
}
