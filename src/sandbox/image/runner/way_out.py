"""Keeps a forwarder at hand: the sandbox's proxy on loopback, from which everything goes to the gateway."""

import asyncio
import os
import socket
import sys

from children import Children
from locations import EGRESS_DIR, GATEWAY_SOCKET_PATH, PROXY_PORT

_FORWARDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forwarder.py")
_BACKLOG = 256
_RETRY_S = 1.0
_RESTART_S = 0.05  # a forwarder that can't live must not take the runner's time as well


class WayOut:
    """
    Holds the listening socket, and starts the forwarder when somebody connects: most sandboxes never need one. While it
    runs it accepts for itself. When it is killed, whoever connects next has it started again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children) -> None:
        self._loop = loop
        self._children = children
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Does nothing in a sandbox without a way out."""
        if not os.path.isdir(EGRESS_DIR):
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", PROXY_PORT))
            listener.listen(_BACKLOG)
        except OSError as error:
            # The forwarder of a runner before this one is about to end, or the agent's own program has the port.
            print("proxy's port not taken:", error, file=sys.stderr, flush=True)
            listener.close()
            self._loop.call_later(_RETRY_S, self.open)
            return
        listener.setblocking(False)
        self._listener = listener
        self._loop.add_reader(listener, self._start_forwarder)

    def _start_forwarder(self) -> None:
        if self._listener is None:
            return
        self._loop.remove_reader(self._listener)
        fd = self._listener.fileno()
        # If the runner dies its forwarder must not keep the port.
        program = ["setpriv", "--pdeathsig", "KILL", "python3", "-I", "-S", _FORWARDER, str(fd), GATEWAY_SOCKET_PATH]
        try:
            self._children.spawn_helper(program, self._forwarder_ended, pass_fds=(fd,))
        except OSError as error:  # no process to be had: connections wait
            print("forwarder not started:", error, file=sys.stderr, flush=True)
            self._loop.call_later(_RETRY_S, self._listen_again)

    def _forwarder_ended(self, _status: int) -> None:
        self._loop.call_later(_RESTART_S, self._listen_again)

    def _listen_again(self) -> None:
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._start_forwarder)
