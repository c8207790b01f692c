"""The variables that the agent's commands see."""

import os
import platform
import re
import shlex
import sys
from typing import Any

from errors import ToolError
from locations import APT_DIR, CA_BUNDLE_PATH, CA_PATH, EGRESS_DIR, HOME_DIR, PROXY_PORT

_SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"
_NODE_PROXY = "/opt/deckhand/node-proxy.cjs"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Environment:
    """The sandbox's own variables, and those that the session adds to them."""

    def __init__(self) -> None:
        self._own = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
        self._own |= _places(self._own)
        if os.path.isdir(EGRESS_DIR):
            _write_ca_bundle()
            self._own |= _way_out()
        self.added: dict[str, str] = {}  # by the session; replaced as a whole, never changed

    def all(self) -> dict[str, str]:
        return self._own | self.added

    def set(self, added: Any) -> None:
        """Puts `added` in place of what the session added before. Nothing changes when a name or value is no good."""
        if not isinstance(added, dict):
            raise ToolError("variables: must be an object")
        for name, value in added.items():
            if not _NAME.fullmatch(name):
                raise ToolError(f"variables: {name!r} cannot be the name of a variable")
            if not isinstance(value, str) or "\0" in value:
                raise ToolError(f"variables.{name}: must be text without NUL")
        self.added = added


def script_between(before: dict[str, str], after: dict[str, str]) -> str:
    """Shell commands that make `after` of `before`, where a variable that is the same in both is left as it is."""
    gone = [f"builtin unset -v {name}" for name in before if name not in after]
    changed = [f"builtin export {name}={shlex.quote(value)}" for name, value in after.items() if before.get(name) != value]
    return "\n".join(gone + changed)


def _places(own: dict[str, str]) -> dict[str, str]:
    """
    Where the user's own installations are. Only here, and not in the image: what it sets holds for root's processes too,
    which must not look for programs and libraries in the agent's folders.
    """
    local = HOME_DIR + "/.local"
    libraries = [f"{APT_DIR}/usr/lib/{platform.machine()}-linux-gnu", f"{APT_DIR}/usr/lib"]
    programs = [local + "/bin", *(APT_DIR + folder for folder in ("/usr/local/bin", "/usr/bin", "/usr/games", "/bin"))]
    return {
        "PATH": ":".join([programs[0], own.get("PATH", os.defpath), *programs[1:]]),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "NODE_PATH": ":".join(filter(None, [local + "/lib/node_modules", own.get("NODE_PATH")])),
        "NPM_CONFIG_PREFIX": local,
    }


def _way_out() -> dict[str, str]:
    proxy = f"http://127.0.0.1:{PROXY_PORT}"
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    bundles = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT")
    direct = "localhost,127.0.0.1,::1"
    variables = {**dict.fromkeys(proxies, proxy), **dict.fromkeys(bundles, CA_BUNDLE_PATH)}
    variables |= {"NO_PROXY": direct, "no_proxy": direct, "NODE_USE_ENV_PROXY": "1"}
    if os.path.isfile(CA_PATH):
        variables["NODE_EXTRA_CA_CERTS"] = CA_PATH
    if os.path.isfile(_NODE_PROXY):
        variables["NODE_OPTIONS"] = f"--require={_NODE_PROXY}"
    return variables


def _write_ca_bundle() -> None:
    """What everybody trusts, and the gateway, which answers in the place of hosts that get a secret."""
    bundle = b""
    for path in (_SYSTEM_CAS, CA_PATH):
        try:
            with open(path, "rb") as file:
                bundle += file.read().rstrip() + b"\n"
        except FileNotFoundError:
            continue
    fresh = f"{CA_BUNDLE_PATH}.{os.getpid()}"
    try:
        with open(fresh, "wb") as file:
            file.write(bundle)
        os.replace(fresh, CA_BUNDLE_PATH)
    except OSError as error:  # the disk is full; an earlier runner may have written it
        print("bundle of certificates not written:", error, file=sys.stderr, flush=True)
