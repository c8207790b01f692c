"""
A program: takes connections from the listening socket it was given (descriptor argv[1]) to the Unix socket argv[2],
where the gateway listens. One thread, so that a thousand idle connections cost nothing.
"""

import os
import selectors
import socket
import sys
import time

_CONNECTIONS_MAX = 512
_CONNECT_WITHIN_S = 5.0
_RETRY_S = 0.05
_PART_BYTES = 1 << 16
_UNREACHABLE = (
    b"HTTP/1.1 503 Gateway not reachable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"The gateway, which is the only way out of this sandbox, cannot be reached.\n"
)


class _Direction:
    """What `source` sends goes to `sink`, its end too. At most one part is held, so a slow reader slows the sender."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.unsent = memoryview(b"")
        self.ended = False

    def pump(self) -> None:
        if not self.unsent and not self.ended:
            try:
                self.unsent = memoryview(self.source.recv(_PART_BYTES))
            except BlockingIOError:
                return
            if not self.unsent:
                self.ended = True
                self.sink.shutdown(socket.SHUT_WR)
        if not self.unsent:
            return
        try:
            self.unsent = self.unsent[self.sink.send(self.unsent) :]
        except BlockingIOError:
            return


class _Link:
    """One connection from inside and its other half, which leads to the gateway."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.gateway = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.give_up_at = time.monotonic() + _CONNECT_WITHIN_S
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.directions = (_Direction(client, self.gateway), _Direction(self.gateway, client))

    def connect(self, path: str) -> bool:
        """False when it is to be tried again. Raises OSError when the time for that is over."""
        try:
            self.gateway.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):  # it is being started, or very busy
            if time.monotonic() > self.give_up_at:
                raise
            return False
        return True

    def events(self, end: socket.socket) -> int:
        """What to wait for at one of the two ends; 0 for nothing."""
        wanted = 0
        for direction in self.directions:
            if direction.source is end and not direction.ended and not direction.unsent:
                wanted |= selectors.EVENT_READ
            if direction.sink is end and direction.unsent:
                wanted |= selectors.EVENT_WRITE
        return wanted

    def pump(self) -> bool:
        """False when both ends have said all they had to say, or one of them is gone."""
        try:
            for direction in self.directions:
                direction.pump()
        except OSError:
            return False
        return not all(direction.ended for direction in self.directions)


class _Forwarder:
    def __init__(self, listener: socket.socket, gateway_path: str) -> None:
        self._listener = listener
        self._gateway_path = gateway_path
        # Not by epoll: another sandbox may use up what the kernel lets one user watch so.
        self._selector = selectors.PollSelector()
        self._waiting: list[_Link] = []
        self._open = 0
        self._accepting = False

    def run(self) -> None:
        self._listener.setblocking(False)
        self._accept_while_below_limit()
        while True:
            for key, _ in self._selector.select(_RETRY_S if self._waiting else None):
                if key.data is None:
                    self._accept()
                elif key.data.client.fileno() >= 0:  # not closed by an event before this one
                    self._serve(key.data)
            waiting, self._waiting = self._waiting, []
            for link in waiting:
                self._connect(link)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it is gone again
        self._open += 1
        self._accept_while_below_limit()
        self._connect(_Link(client))

    def _accept_while_below_limit(self) -> None:
        """Whoever comes beyond that waits in the queue of the listening socket."""
        accepting = self._open < _CONNECTIONS_MAX
        if accepting and not self._accepting:
            self._selector.register(self._listener, selectors.EVENT_READ)
        elif self._accepting and not accepting:
            self._selector.unregister(self._listener)
        self._accepting = accepting

    def _connect(self, link: _Link) -> None:
        try:
            if link.connect(self._gateway_path):
                self._serve(link)
            else:
                self._waiting.append(link)
        except OSError:
            try:
                link.client.send(_UNREACHABLE)
            except OSError:
                pass
            self._close(link)

    def _serve(self, link: _Link) -> None:
        if not link.pump():
            self._close(link)
            return
        for end in (link.client, link.gateway):
            self._watch(end, link)

    def _watch(self, end: socket.socket, link: _Link) -> None:
        wanted = link.events(end)
        key = self._selector.get_map().get(end)
        if key is None and wanted:
            self._selector.register(end, wanted, link)
        elif key is not None and not wanted:
            self._selector.unregister(end)  # an end that hung up would be reported without pause
        elif key is not None and key.events != wanted:
            self._selector.modify(end, wanted, link)

    def _close(self, link: _Link) -> None:
        for end in (link.client, link.gateway):
            if end in self._selector.get_map():
                self._selector.unregister(end)
            end.close()
        self._open -= 1
        self._accept_while_below_limit()


def main(listener_fd: int, gateway_path: str) -> None:
    os.chdir("/")
    _Forwarder(socket.socket(fileno=listener_fd), gateway_path).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
