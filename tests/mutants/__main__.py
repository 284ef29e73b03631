"""Change the helpers or the search in one place, and see whether a test goes red: make mutants

cosmic-ray makes the changes, in an environment and a copy of the last commit of their own, both
under build/mutants. What is known is kept there: the next call goes on, tries again what survived,
and begins a part anew when its text is another. SAMPLE=200 takes that many changes by lot, SEED=16
says which, PARTS='mixins search' says of what, SECONDS=10 how long the tests of one change may
take, WRITE=1 keeps the table. Exit status 1 if more than 5 % survived without a reason.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / "build" / "mutants"
TOOL = "cosmic-ray==8.7.0"
PAGE = ROOT / "benches" / "results" / "mutants.md"
NODE = Path("src/workshop/services/pouchdb/node_modules")


def interpreter() -> str:
    """Return the Python that has cosmic-ray; its environment is made if it is not there."""
    python = HOME / "env" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME / "env"], check=True)
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, TOOL], check=True)
    return str(python)


def copy() -> Path:
    """Return a copy, in which files may be changed, and which is the last commit when asked for."""
    tree = HOME / "tree"
    if not tree.exists():
        subprocess.run(["git", "clone", "--quiet", "--local", ROOT, tree], check=True)
        # No link: PouchDB may read nothing outside of its own folder.
        shutil.copytree(ROOT / NODE, tree / NODE, symlinks=True)
    for command in (["fetch", "--quiet", str(ROOT), "HEAD"], ["checkout", "-qf", "FETCH_HEAD"]):
        subprocess.run(["git", *command], cwd=tree, check=True)
    return tree


def main() -> int:
    """Run the tool as told; return its exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", default="0", help="how many, by lot; 0: all")
    parser.add_argument("--seed", default="16")
    parser.add_argument("--seconds", default="10")
    parser.add_argument("--write", action="store_true", help="keep the table: mutants.md")
    parser.add_argument("--parts", nargs="*", default=[])
    how = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    python, tree = interpreter(), copy()
    places = os.pathsep.join((str(tree / "src"), str(tree)))
    told = {"PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "", "TESTS_WITH": sys.executable}
    told["PYTHONPYCACHEPREFIX"] = str(HOME / "compiled")
    return subprocess.run(
        [
            python,
            "-m",
            "tests.mutants.session",
            HOME,
            PAGE,
            how.sample,
            how.seed,
            how.seconds,
            *how.parts,
        ],
        cwd=tree,
        env={**os.environ, **told},
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
