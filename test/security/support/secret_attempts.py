"""
Run inside a sandbox: evaluates the attempts it is given, each of which returns what came back, and prints that. What
it looks for is put together here, so that looking for it leaves it nowhere.
"""

import base64
import concurrent.futures
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

MARK = "@HALF@" + "@OTHER_HALF@"
PROXY = ("127.0.0.1", 3128)
OUTPUT_CHARS_MAX = 1500
SILENCE_S = 4
E = os.environ
CRLF = "\r\n"


def forms() -> list[bytes]:
    raw = MARK.encode()
    inside = []
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw)
        inside.append(text[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6])
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), MARK.encode("utf-16-le"), *inside]


FORMS = forms()


def found(text: bytes) -> bool:
    return any(form in text for form in FORMS)


def run(*argv: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout


def curl(*argv: str) -> bytes:
    return run("curl", "-sS", "-i", "-m", "15", *argv)


def key(name: str = "API_KEY") -> tuple[str, str]:
    return ("-H", "x-api-key: " + E[name])


def read_all(sock: socket.socket) -> bytes:
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except OSError as error:
        if not parts:
            return f"({type(error).__name__})".encode()
    return b"".join(parts)


def proxy(data: str) -> bytes:
    """What the gateway answers to these bytes."""
    with socket.create_connection(PROXY, timeout=SILENCE_S) as sock:
        sock.sendall(data.encode("latin1"))
        return read_all(sock)


def tunnel(host: str, data: str, sni: str | None = None, tls: bool = True, port: int = 443) -> bytes:
    """What comes back to these bytes in a tunnel to the host, or to the CONNECT when there is no tunnel."""
    with socket.create_connection(PROXY, timeout=SILENCE_S) as sock:
        sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := sock.recv(1)):
                return head
            head += part
        if b" 200 " not in head.split(b"\r\n")[0]:
            return head + read_all(sock)
        if not tls:
            sock.sendall(data.encode("latin1"))
            return read_all(sock)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with context.wrap_socket(sock, server_hostname=sni or host) as secure:
                secure.sendall(data.encode("latin1"))
                return read_all(secure)
        except OSError as error:
            return f"({type(error).__name__})".encode()


def request(target: str, *headers: str, host: str = "api.cred.test", method: str = "GET", body: str = "") -> str:
    """One with the placeholder, after which the connection ends."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"x-api-key: {E.get('API_KEY', '')}", "Connection: close"]
    return CRLF.join([*lines, *headers, "", body])


def hunted(text: bytes) -> str:
    return "FOUND" if found(text) else "nothing found"


def every(name: str) -> bytes:
    """The file of that name of each process but this one."""
    texts = []
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    texts.append(file.read())
            except OSError:
                continue
    return b"\n".join(texts)


def memory_of_others() -> str:
    """Every page that can be read of the runner, the forwarder, the shell and whatever else there is."""
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
                for line in maps:
                    begin, end = (int(part, 16) for part in line.split()[0].split("-"))
                    if " r" not in line or end - begin > 1 << 28:
                        continue
                    try:
                        memory.seek(begin)
                        if found(memory.read(end - begin)):
                            return "FOUND"
                    except (OSError, ValueError, OverflowError):
                        continue
        except OSError:
            continue
    return "nothing found"


def files_with(patterns: list[bytes], *where: str) -> str:
    argv = ["timeout", "60", "grep", "-rlaF", "-f", "-", "--exclude-dir=proc", "--exclude-dir=sys", *where]
    listed = subprocess.run(argv, input=b"\n".join(patterns) + b"\n", capture_output=True).stdout.decode("latin1").split()
    return "FOUND in " + ", ".join(listed[:9]) if listed else "nothing found"


def installed(command: str) -> str:
    out = run("sh", "-c", command + " && echo it WORKED")
    if b"it WORKED" in out:
        return "installed"
    return "refused" if any(text in out for text in (b" 403", b"not allowed", b"No matching distribution")) else out.decode("latin1")


def attempt(given: dict) -> dict:
    try:
        out = eval(given["code"], {**globals(), "a": f"/a{given['id']}"})  # noqa: S307
        raw = out.encode("latin1", "replace") if isinstance(out, str) else out
    except Exception as error:  # whatever it is, it is what came of the attempt
        raw = f"{type(error).__name__}: {error}".encode()
    return {"id": given["id"], "found": found(raw), "out": raw.decode("latin1")[:OUTPUT_CHARS_MAX]}


with concurrent.futures.ThreadPoolExecutor(6) as pool:
    for result in pool.map(attempt, json.load(sys.stdin)):
        print(json.dumps(result))
