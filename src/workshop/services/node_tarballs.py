"""The npm packages of a lock as files: fetched on one machine, unpacked on one without a network.

A tarball is named by its digest in the lock, and used only if it has that digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .errors import ServiceError

SAFE = re.compile(r"node_modules/(@?\w[\w.-]*/)*\w[\w.-]*")
AT_ONCE = 20  # the packages of one call: a command line has an end


def packages(lock: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the place below `node_modules`, `name@version` and integrity of each package."""
    for place, about in json.loads(lock.read_text())["packages"].items():
        if place:
            name = place.rpartition("node_modules/")[2]
            yield place, f"{name}@{about['version']}", about["integrity"]


def file_name(integrity: str) -> str:
    """Return the name of the file for a package of this integrity."""
    return hashlib.sha256(integrity.encode()).hexdigest()[:32] + ".tgz"


def fetch(lock: Path, into: Path, npm: list[str]) -> None:
    """Put the tarball of every package of a lock into a folder; `npm` is the command to ask."""
    wanted = {integrity: name for _, name, integrity in packages(lock)}
    names = sorted(set(wanted.values()))
    into.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(names), AT_ONCE):
        asked = names[start : start + AT_ONCE]
        ran = subprocess.run(
            [*npm, "pack", "--silent", "--ignore-scripts", "--logs-max=0", *asked],
            cwd=into,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise ServiceError(f"CouchDB: npm cannot fetch its packages: {ran.stderr.strip()}")
    for found in list(into.iterdir()):
        integrity = integrity_of(found.read_bytes())
        if integrity in wanted:
            found.rename(into / file_name(integrity))
    for integrity, name in wanted.items():
        if not (into / file_name(integrity)).is_file():
            raise ServiceError(f"CouchDB: the {name} that npm fetched is not that of the lock")


def integrity_of(content: bytes) -> str:
    """Return the digest of a tarball as a lock of npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def unpack(lock: Path, tarballs: Path, home: Path) -> None:
    """Make `home/node_modules` of fetched tarballs, as `npm ci --ignore-scripts` would."""
    for place, name, integrity in packages(lock):
        tarball = tarballs / file_name(integrity)
        if not tarball.is_file() or integrity_of(tarball.read_bytes()) != integrity:
            raise ServiceError(f"CouchDB: {name} is missing or damaged among the fetched packages")
        if not SAFE.fullmatch(place):
            raise ServiceError(f"CouchDB: the lock puts {name} in {place!r}")
        with tarfile.open(tarball) as tar:
            for member in tar:
                _, *parts = PurePosixPath(member.name).parts
                if not member.isfile():
                    continue
                content = tar.extractfile(member)
                if content is None or not parts or ".." in parts:
                    raise ServiceError(f"CouchDB: {name} has a file outside: {member.name!r}")
                path = home.joinpath(place, *parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
