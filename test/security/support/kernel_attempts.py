"""Asks the kernel for what a sandbox must not have, and prints by what name each request was refused, or "done"."""

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
ARCHITECTURE = ("x86_64", "aarch64").index(platform.machine())
ROOM = ctypes.create_string_buffer(4096)
PLACE = struct.pack("NN", ctypes.addressof(ROOM), 8)
NAMESPACES = {
    "mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000,
    "user": 0x10000000, "pid": 0x20000000, "network": 0x40000000, "time": 0x80,
}  # fmt: skip

# Number on x86_64, on aarch64, and arguments.
CALLS = {
    "mount": (165, 40, b"none", b"/mnt", b"tmpfs", 0, None),
    "umount2": (166, 39, b"/proc/kcore", 2),
    "fsopen": (430, 430, b"tmpfs", 0),
    "open_tree": (428, 428, -100, b"/", 1),
    "move_mount": (429, 429, -1, b"", -1, b"", 0),
    "mount_setattr": (442, 442, -1, b"", 0, None, 0),
    "pivot_root": (155, 41, b"/", b"/"),
    "chroot": (161, 51, b"/"),
    "setns": (308, 268, -1, 0),
    "ptrace": (101, 117, 16, 1, 0, 0),
    "process_vm_readv": (310, 270, 1, PLACE, 1, PLACE, 1, 0),
    "process_vm_writev": (311, 271, 1, PLACE, 1, PLACE, 1, 0),
    "kcmp": (312, 272, 1, 1, 0, 0, 0),
    "add_key": (248, 217, b"user", b"a", b"b", 1, -3),
    "request_key": (249, 218, b"user", b"a", None, -3),
    "keyctl": (250, 219, 0, -3, 0),
    "bpf": (321, 280, 0, None, 0),
    "perf_event_open": (298, 241, ROOM, 0, -1, -1, 0),
    "userfaultfd": (323, 282, 0),
    "io_uring_setup": (425, 425, 4, ctypes.create_string_buffer(256)),
    "kexec_load": (246, 104, 0, 0, None, 0),
    "init_module": (175, 105, None, 0, b""),
    "finit_module": (313, 273, 0, b"", 0),
    "delete_module": (176, 106, b"x", 0),
    "reboot": (169, 142, 0xFEE1DEAD, 672274793, 0, None),  # with no command that does anything
    "swapon": (167, 224, b"/x", 0),
    "acct": (163, 89, None),
    "sethostname": (170, 161, b"x", 1),
    "settimeofday": (164, 170, ROOM, None),
    "clock_settime": (227, 112, 0, ROOM),
    "quotactl": (179, 60, 0, b"", 0, None),
    "open_by_handle_at": (304, 265, 0, ROOM, 0),
    "fanotify_init": (300, 262, 4, 0),
    "syslog": (103, 116, 3, ROOM, 100),
}


def refusal(attempt) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except ValueError as error:  # of setrlimit
        return "EPERM" if "not allowed" in str(error) else str(error)
    return "done"


def call(name: str) -> None:
    number, arguments = CALLS[name][ARCHITECTURE], CALLS[name][2:]
    ctypes.set_errno(0)
    whole = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    if LIBC.syscall(number, *whole) < 0:
        raise OSError(ctypes.get_errno(), name)


def calls(*names: str) -> None:
    for name in names:
        print(name, refusal(lambda: call(name)))


def unshare() -> None:
    number = (272, 97)[ARCHITECTURE]
    for name, flag in NAMESPACES.items():
        LIBC.syscall(number, flag)
        print(name, errno.errorcode.get(ctypes.get_errno(), "done"))


def clone() -> None:
    """A child in a user namespace of its own; clone3 hides its flags from the filter, so it is to be refused as a whole."""
    child = LIBC.syscall((56, 220)[ARCHITECTURE], NAMESPACES["user"] | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    print("clone", "done" if child > 0 else errno.errorcode[ctypes.get_errno()])
    LIBC.syscall(435, ROOM, 64)
    print("clone3", errno.errorcode.get(ctypes.get_errno(), "done"))


def become_root() -> None:
    for change in (os.setuid, os.setgid, os.seteuid, lambda user: os.setgroups([user])):
        print(refusal(lambda: change(0)))


def setuid_programs() -> None:
    """With whose rights each program runs whose file says that it is root's to run."""
    found = subprocess.run(["find", "/", "-xdev", "-perm", "/6000", "-type", "f"], capture_output=True, text=True)
    ran = set()
    for program in found.stdout.split():
        process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=-3, stderr=-3)
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            try:
                with open(f"/proc/{process.pid}/status") as file:
                    ran.update(line.split()[2] for line in file if line.startswith(("Uid:", "Gid:")))
            except OSError:
                break
        process.kill()
        process.wait()
    print(len(found.stdout.split()) > 0, *sorted(ran))


def raise_limits() -> None:
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        hard = resource.getrlimit(limit)[1]
        print(refusal(lambda: resource.setrlimit(limit, (hard + 1, hard + 1))))
    print(refusal(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)))
    print(refusal(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))))


def make_device() -> None:
    for kind in (stat.S_IFBLK, stat.S_IFCHR):
        print(refusal(lambda: os.mknod("/tmp/device", kind | 0o666, os.makedev(254, 0))))


def steal_descriptor() -> None:
    print(refusal(lambda: os.close(_pidfd_getfd(os.pidfd_open(1)))))


def _pidfd_getfd(pidfd: int) -> int:
    ctypes.set_errno(0)
    fd = LIBC.syscall(438, pidfd, 0, 0)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return fd


def sockets() -> None:
    """Kinds of sockets that see more than this network namespace."""
    kinds = {
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
        "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "raw6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    }
    for name, (family, kind, protocol) in kinds.items():
        print(name, refusal(lambda: socket.socket(family, kind, protocol).close()))


def vsock() -> None:
    print(refusal(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()))


def configure_network() -> None:
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    set_address, add_route, bridge_add = 0x8916, 0x890B, 0x89A0
    for request in (set_address, add_route, bridge_add):
        print(refusal(lambda: fcntl.ioctl(plain, request, b"lo".ljust(256, b"\0"))))


globals()[sys.argv[1]](*sys.argv[2:])
