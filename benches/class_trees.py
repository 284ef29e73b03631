"""The audit of mixins on the classes of real packages, in an environment of their own.

Makes build/class-trees with these versions, once; writes benches/results/class_trees.md; exit
status 1 if one of the findings that were judged by hand comes out otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / "build" / "class-trees"
PACKAGES = [
    "django==5.2.8",
    "djangorestframework==3.16.1",
    "scikit-learn==1.7.2",
    "sqlalchemy==2.1.9",
]
RESULTS = ROOT / "benches" / "results" / "class_trees.md"
INTRODUCTION = """# The audit of mixins on real classes

`audit_cooperation(…, run=None)` on every row of classes that define one method in Python, by their
code alone. *Overrides*: a class replaces what it inherits, as it may be meant to. *Drops a
sibling*: a class that it does not inherit from is never asked. Where a class calls another by name
the audit cannot tell. `tests/patterns/mixins/judged.csv` has a hundred findings, drawn by lot and
judged by hand.

"""


def interpreter() -> str:
    """Return the Python of the environment, which is made if it is not there."""
    python = HOME / "bin" / "python"
    if not python.exists():
        shutil.rmtree(HOME, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, *PACKAGES], check=True)
    return str(python)


def main() -> int:
    """Run the audit there, store its table, and return its exit status."""
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
    told = subprocess.run(
        [interpreter(), "-W", "ignore", "-m", "tests.patterns.mixins.class_trees"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(told.stdout)
    if not told.returncode:
        about = f"{date.today()}: {', '.join(PACKAGES)}, Python {sys.version.split()[0]}."
        RESULTS.write_text(f"{INTRODUCTION}{told.stdout}\n{about}\n", encoding="utf-8")
    return told.returncode


if __name__ == "__main__":
    sys.exit(main())
