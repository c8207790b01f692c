"""Tries to reach the addresses it is given, from within a sandbox, and prints those that answered."""

import socket
import sys

TIMEOUT_S = 2.0


def tcp(*places: str) -> None:
    """Each place is an address and a port."""
    for address, port in zip(places[::2], places[1::2]):
        try:
            socket.create_connection((address, int(port)), TIMEOUT_S).close()
            print("connected", address)
        except OSError:
            pass


def udp(*places: str) -> None:
    for address, port in zip(places[::2], places[1::2]):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0.2)
            try:
                sender.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", (address, int(port)))
                sender.recvfrom(512)
                print("answered", address)
            except OSError:
                pass


def unix(*names: str) -> None:
    """Names beginning with @ are abstract: the kernel's, not a folder's."""
    for name in names:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect("\0" + name[1:] if name.startswith("@") else name)
                print("connected", name)
            except OSError:
                pass


globals()[sys.argv[1]](*sys.argv[2:])
print("tried", len(sys.argv) - 2)
