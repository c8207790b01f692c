#!/usr/bin/python3 -IS
"""
A program: apt, apt-get and apt-cache for somebody who is not root. The real ones do the work, with lists, cache and a
list of installed packages in ~/.apt; what they download is unpacked there. Root gets the real ones as they are.
"""

import glob
import os
import subprocess
import sys

_APT_DIR = os.path.expanduser("~/.apt")
_STATUS = _APT_DIR + "/var/lib/dpkg/status"
_LISTS = _APT_DIR + "/var/lib/apt/lists"
_ARCHIVES = _APT_DIR + "/var/cache/apt/archives"
_SYSTEM_STATUS = "/var/lib/dpkg/status"
_PYTHON_PACKAGES = _APT_DIR + "/usr/lib/python3/dist-packages"

_FOR_ROOT = {
    *("remove", "purge", "autoremove", "autopurge", "upgrade", "full-upgrade", "dist-upgrade", "dselect-upgrade"),
    *("reinstall", "satisfy", "build-dep", "edit-sources"),
}
_WITH_VALUE = ("-o", "--option", "-c", "--config-file", "-t", "--target-release", "-a", "--host-architecture")
_OPTIONS = {
    "Dir::State": _APT_DIR + "/var/lib/apt",
    "Dir::State::status": _STATUS,
    "Dir::Cache": _APT_DIR + "/var/cache/apt",
    "Dir::Log": _APT_DIR + "/var/log",
    "Debug::NoLocking": "true",
    "APT::Sandbox::User": "",
    "APT::Get::Assume-Yes": "true",
    "APT::Install-Recommends": "false",
}


def main(program: str, arguments: list[str]) -> int:
    real = [f"/usr/bin/{program}"]
    if os.geteuid() == 0:
        os.execv(real[0], [*real, *arguments])
    command = _command_in(arguments)
    if command in _FOR_ROOT:
        print(f"{program} {command}: not possible here without root; only update, install, download and questions are.")
        return 1
    _make_folders()
    real += [part for name, value in _OPTIONS.items() for part in ("-o", f"{name}={value}")]
    if command != "install":
        os.execv(real[0], [*real, *arguments])
    if not glob.glob(_LISTS + "/*Packages*"):
        print("No package lists yet: fetching them.", flush=True)
        if (status := subprocess.call([*real, *_settings_in(arguments), "-q", "update"])) != 0:
            return status
    if (status := subprocess.call([*real, "--download-only", *arguments])) != 0:
        return status
    return _unpack()


def _command_in(arguments: list[str]) -> str:
    """The first that is neither an option nor the value of one."""
    for before, argument in zip(["", *arguments], arguments):
        if not argument.startswith("-") and before not in _WITH_VALUE:
            return argument
    return ""


def _settings_in(arguments: list[str]) -> list[str]:
    """The `-o name=value` among them, which hold for fetching the lists too."""
    pairs = zip(arguments, arguments[1:])
    return [part for option, value in pairs if option in ("-o", "--option") for part in (option, value)]


def _make_folders() -> None:
    for folder in (_LISTS + "/partial", _ARCHIVES + "/partial", _APT_DIR + "/var/log", os.path.dirname(_STATUS)):
        os.makedirs(folder, exist_ok=True)
    if not os.path.exists(_STATUS):
        with open(_SYSTEM_STATUS, "rb") as system, open(_STATUS, "wb") as own:
            own.write(system.read())


def _unpack() -> int:
    """Nothing to unpack means that all was there: apt has said so."""
    unpacked = []
    for archive in sorted(glob.glob(_ARCHIVES + "/*.deb")):
        if (status := subprocess.call(["dpkg-deb", "--extract", archive, _APT_DIR])) != 0:
            return status
        control = subprocess.run(["dpkg-deb", "--field", archive], check=True, stdout=subprocess.PIPE).stdout
        unpacked.append(_record(control.decode("utf-8", "replace")))
        os.unlink(archive)
    if unpacked:
        _show_python()
        print(
            f"Unpacked into {_APT_DIR}: {', '.join(unpacked)}.\n"
            "Programs and libraries are found there. The packages' own set-up scripts did not run, and what looks for "
            "its files in /usr or /etc does not find them."
        )
    return 0


def _record(control: str) -> str:
    """Adds a package to those that are installed, in place of an older version."""
    name = next(line.partition(":")[2].strip() for line in control.splitlines() if line.startswith("Package:"))
    with open(_STATUS, encoding="utf-8", errors="surrogateescape") as file:
        packages = [package for package in file.read().split("\n\n") if package.strip()]
    others = [package for package in packages if package.lstrip("\n").partition("\n")[0] != f"Package: {name}"]
    first, _, rest = control.strip().partition("\n")
    with open(_STATUS + ".new", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n\n".join([*others, f"{first}\nStatus: install ok installed\n{rest}"]) + "\n\n")
    os.replace(_STATUS + ".new", _STATUS)
    return name


def _show_python() -> None:
    """Python looks for packages in the user's own folder, and a file there may name another one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = os.path.expanduser(f"~/.local/lib/{version}/site-packages")
    if os.path.isdir(_PYTHON_PACKAGES):
        os.makedirs(packages, exist_ok=True)
        with open(packages + "/user-apt.pth", "w") as file:
            file.write(_PYTHON_PACKAGES + "\n")


sys.exit(main(os.path.basename(sys.argv[0]), sys.argv[1:]))
