"""What a release is made of: `.venv/bin/python tests/distribution.py FOLDER [TAG]`.

Looks into the sdist and the wheel that `python -m build` put into FOLDER: one of each, of the
version of pyproject.toml, with every file of `src`. With a TAG, that must be this version's, and
CHANGELOG.md must have a section for it, which is printed: the notes of the release. Exit 0 if all
of that is so. How the wheel is installed and used, tests/light_install.py tries.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEEDED = {"pyproject.toml", "README.md", "LICENSE"}


class NotReleasable(Exception):
    """What is there must not be released. Its text says why."""


def main(folder: str, tag: str = "") -> int:
    """Look at both; print the notes for a tag."""
    try:
        look_into(Path(folder), sources(), version())
        if tag:
            print(notes((ROOT / "CHANGELOG.md").read_text(), tag, version()))
    except NotReleasable as problem:
        print(f"Not to be released: {problem}.", file=sys.stderr)
        return 1
    return 0


def version() -> str:
    """The version in pyproject.toml."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return str(found)


def sources() -> set[str]:
    """The files of the packages, by their paths below `src`."""
    listed = ["git", "ls-files", "-z", "src"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.removeprefix("src/") for name in done.stdout.split("\0") if name}


def look_into(folder: Path, wanted: set[str], number: str) -> None:
    """NotReleasable if the two files of a release are not there, or lack a file."""
    found = {path.name: path for path in folder.iterdir()}
    stem = f"broken_then_proven-{number}"
    names = {f"{stem}.tar.gz", f"{stem}-py3-none-any.whl"}
    if found.keys() != names:
        raise NotReleasable(f"there are {sorted(found)}, not {sorted(names)}")
    with zipfile.ZipFile(found[f"{stem}-py3-none-any.whl"]) as wheel:
        in_wheel = {name for name in wheel.namelist() if ".dist-info/" not in name}
    with tarfile.open(found[f"{stem}.tar.gz"]) as sdist:
        in_sdist = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    for what, difference in {
        "the wheel lacks": wanted - in_wheel,
        "the wheel has what the repository has not": in_wheel - wanted,
        "the sdist lacks": (NEEDED | {f"src/{name}" for name in wanted}) - in_sdist,
    }.items():
        if difference:
            raise NotReleasable(f"{what}: {', '.join(sorted(difference))}")


def notes(changelog: str, tag: str, number: str) -> str:
    """The section of a changelog for a version, whose tag this must be."""
    if tag != f"v{number}":
        raise NotReleasable(f"the tag is {tag}, and pyproject.toml has the version {number}")
    section = rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)"
    found = re.search(section, changelog, re.MULTILINE | re.DOTALL)
    if not found:
        raise NotReleasable(f"CHANGELOG.md has no section with a date for {number}")
    return found[1].strip()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
