"""Where things are. Imports nothing, so that a bridge to a running daemon is quick to start."""

WORK_DIR = "/workspace"
OUTPUTS_DIR = "/mnt/session/outputs"
RUNNER_DIR = "/run/deckhand"
SOCKET_PATH = RUNNER_DIR + "/runner.sock"
JOURNAL_PATH = RUNNER_DIR + "/journal"
LOCK_PATH = RUNNER_DIR + "/start.lock"
LOG_PATH = RUNNER_DIR + "/runner.log"
