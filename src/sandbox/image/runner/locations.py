"""Where things are. Imports nothing, so that a bridge to a running daemon is quick to start."""

WORK_DIR = "/workspace"
OUTPUTS_DIR = "/mnt/session/outputs"
RUNNER_DIR = "/run/deckhand"
SOCKET_PATH = RUNNER_DIR + "/runner.sock"
JOURNAL_PATH = RUNNER_DIR + "/journal"
LOCK_PATH = RUNNER_DIR + "/start.lock"
LOG_PATH = RUNNER_DIR + "/runner.log"

# What the way out looks like from inside. The folder is there only in a sandbox that has one.
EGRESS_DIR = "/run/egress"
GATEWAY_SOCKET_PATH = EGRESS_DIR + "/gateway.sock"
CA_PATH = EGRESS_DIR + "/ca.pem"
CA_BUNDLE_PATH = RUNNER_DIR + "/ca-bundle.pem"
PROXY_PORT = 3128

HOME_DIR = "/home/agent"
APT_DIR = HOME_DIR + "/.apt"
