"""Change src/patterns in one place, run its tests, and see whether one goes red: make mutants

cosmic-ray makes the changes, in an environment and a copy of the last commit of their own, both
under build/mutants. What is done is kept there: the next call goes on. SAMPLE=200 takes that many
changes by lot, SEED=16 says which, PARTS='mixins transfers' says of what. Exit status 1 if fewer
than 95 % were killed. Every change that survived is printed; `survivors.csv` says why some may.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / "build" / "mutants"
TOOL = "cosmic-ray==8.7.0"
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
    """Return a copy of the last commit, in which files may be changed."""
    tree = HOME / "tree"
    if not tree.exists():
        subprocess.run(["git", "clone", "--quiet", "--local", ROOT, tree], check=True)
        (tree / NODE).symlink_to(ROOT / NODE)
    return tree


def main() -> int:
    """Run the tool as told; return its exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", default="0", help="how many, by lot; 0: all")
    parser.add_argument("--seed", default="16")
    parser.add_argument("--parts", nargs="*", default=[])
    how = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    python, tree = interpreter(), copy()
    places = os.pathsep.join((str(tree / "src"), str(tree)))
    # No compiled module is kept: two changes of one size within a second look the same.
    told = {"PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1", "TESTS_WITH": sys.executable}
    script = Path(__file__).with_name("session.py")
    return subprocess.run(
        [python, script, HOME, how.sample, how.seed, *how.parts],
        cwd=tree,
        env={**os.environ, **told},
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
