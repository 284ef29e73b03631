"""A bundle: one archive that a laptop of the same kind sets up from with no network.

`make bundle` writes one for this platform and this Python, in `build`; on another laptop
`make lab BUNDLE=THE_ARCHIVE` sets up from it. In the archive are `bundle/bundle.json`, which says
what the bundle is for; `bundle/wheels` and `bundle/node`, the packages of the two locks; and
`broken-then-proven`, the files of the repository, for a laptop that has none. Standard library
only.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

NAME = "broken-then-proven"
MANIFEST = "bundle/bundle.json"
PACKAGE = re.compile(r"bundle/(wheels|node)/\w[\w.+-]*")
SAFE = re.compile(rf"{NAME}(/(?!\.{{1,2}}(/|$))[^/\\:]+)*")


class BundleError(Exception):
    """A bundle cannot be used, or not be made. Its text is the one line for the reader."""


def this_machine() -> str:
    """The operating system and the processor, as they decide which wheels fit: `linux-x86_64`."""
    musl = sys.platform == "linux" and platform.libc_ver()[0] != "glibc"
    return f"{platform.system()}-{platform.machine()}{'-musl' if musl else ''}".lower()


def wanted(python: str, locks: Iterable[str]) -> dict[str, str]:
    """What a bundle must be for: this machine, a Python, and these locks to the byte."""
    found = {"python": python, "platform": this_machine()}
    for lock in locks:
        with open(lock, "rb") as file:
            found[os.path.basename(lock)] = hashlib.sha256(file.read()).hexdigest()
    return found


# --- the laptop that has the archive ------------------------------------------------------------


def manifest(archive: str) -> dict[str, str]:
    """What an archive says it is for; only its beginning is read."""
    with reading(archive) as tar:
        return _manifest(archive, tar)


def unpack(archive: str, place: str) -> None:
    """Put the packages of an archive into `place/wheels` and `place/node`, which are made.

    BundleError if it is not whole, or has a file of which a bundle has none: that is not written.
    """
    with reading(archive, to_its_end=True) as tar:
        _manifest(archive, tar)
        while (member := tar.next()) is not None:
            unpack_member(archive, tar, member, place)


@contextlib.contextmanager
def reading(archive: str, to_its_end: bool = False) -> Iterator[tarfile.TarFile]:
    """An archive, open from its beginning. BundleError for what shows that it is not whole."""
    try:
        with gzip.open(archive) as content:
            with tarfile.open(fileobj=content, mode="r|") as tar:
                yield tar
            while to_its_end and content.read(1 << 20):  # the end holds the checksum
                pass
    except FileNotFoundError as error:
        raise BundleError(f"there is no {archive}") from error
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise BundleError(f"{archive} is not whole; copy it again") from error


def _manifest(archive: str, tar: tarfile.TarFile) -> dict[str, str]:
    first = tar.next()
    if first is None or first.name != MANIFEST:
        raise BundleError(f"{archive} is no bundle; `make bundle` writes one")
    found = json.loads(opened(tar, first).read())
    if not isinstance(found, dict):
        raise ValueError(found)
    return found


def check(archive: str, found: dict[str, str], asked: dict[str, str]) -> None:
    """Refuse a bundle that is for another machine, another Python or other locks."""
    for what, value in asked.items():
        has = found.get(what)
        if has == value:
            continue
        if what == "python":
            raise BundleError(
                f"{archive} is for Python {has}, not {value}: "
                f"make lab PYTHON=python{has} BUNDLE={archive}"
            )
        if what == "platform":
            raise BundleError(
                f"{archive} is for {has}, not {value}; run `make bundle` on a machine like this one"
            )
        raise BundleError(
            f"{archive} was made for another {what}; "
            f"use the {NAME} folder in it, or run `make bundle` in a clone like this one"
        )


def unpack_member(archive: str, tar: tarfile.TarFile, member: tarfile.TarInfo, place: str) -> None:
    """Write one package. The repository's files are passed over: who is here has them."""
    if member.isfile() and PACKAGE.fullmatch(member.name):
        path = os.path.join(place, *member.name.split("/")[1:])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            shutil.copyfileobj(opened(tar, member), file)
    elif not (member.isfile() and SAFE.fullmatch(member.name)):
        raise BundleError(f"{archive} has a file that no bundle has: {member.name!r}")


def opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """The content of a member, to read."""
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError("no file")
    return content


# --- the laptop that makes it -------------------------------------------------------------------


def write(
    archive: str, made_for: dict[str, str], packages: str, root: str, tree: list[str]
) -> None:
    """Write an archive: what it is for, then `packages/wheels` and `/node`, then files of `root`.

    Wheels are packed already, so the archive is packed with little effort.
    """
    with tempfile.TemporaryDirectory(dir=os.path.dirname(archive)) as side:
        part = os.path.join(side, "part")
        with tarfile.open(part, "w:gz", compresslevel=1) as tar:
            said = os.path.join(side, "said")
            with open(said, "w") as file:
                json.dump(made_for, file, indent=1)
            tar.add(said, MANIFEST, filter=nobodys)
            for kind in ("wheels", "node"):
                for name in sorted(os.listdir(os.path.join(packages, kind))):
                    path = os.path.join(packages, kind, name)
                    tar.add(path, f"bundle/{kind}/{name}", filter=nobodys)
            for name in tree:
                tar.add(os.path.join(root, *name.split("/")), f"{NAME}/{name}", filter=nobodys)
        os.replace(part, archive)


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member that tells nothing of the account that packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def tracked(root: str) -> list[str]:
    """The files of the repository, as they are in this folder."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode:
        raise BundleError("`make bundle` needs git, and a clone of the repository")
    return [name for name in done.stdout.split("\0") if os.path.isfile(os.path.join(root, name))]


def main() -> int:
    """Make a bundle for this machine and the Python that runs this; return the exit code."""
    import bootstrap

    version = bootstrap.THIS
    build = os.path.join(bootstrap.ROOT, "build")
    archive = os.path.join(build, f"{NAME}-{this_machine()}-py{version}.tar.gz")
    os.makedirs(build, exist_ok=True)
    try:
        tree = tracked(bootstrap.ROOT)
        with tempfile.TemporaryDirectory(dir=build) as place:
            bootstrap.fetch(version, place)
            made_for = wanted(version, [bootstrap.LOCK, bootstrap.NODE_LOCK])
            bootstrap.say("Writing the bundle ...")
            write(archive, made_for, place, bootstrap.ROOT, tree)
    except (BundleError, bootstrap.SetUpError) as failure:
        sys.stderr.write(f"No bundle: {failure}\n")
        return 1
    size = os.path.getsize(archive) / 1e6
    bootstrap.say(f"{os.path.relpath(archive, bootstrap.ROOT)}: {size:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
