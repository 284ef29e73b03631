"""Each pattern, taken home alone: its folder in an empty package, and nothing else of ours.

The examples that run there are the scripts in `alone`; each shows what its pattern promises.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import patterns
from workshop import services

HERE = Path(__file__).parent / "alone"
PATTERNS = Path(patterns.__file__).parent
NAMES = sorted(folder.parent.name for folder in PATTERNS.glob("*/__init__.py"))
RUN = """
import importlib, pkgutil, runpy, sys
for name in ("patterns", "raceproof", "workshop"):
    sys.modules[name] = None
sys.path.insert(0, ".")
name, script, *sys.argv[1:] = sys.argv[1:]
package = importlib.import_module(f"taken_home.{name}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
    print(module.name)
runpy.run_path(script, run_name="__main__")
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_pattern_works_alone(name: str, tmp_path: Path) -> None:
    home = tmp_path / "taken_home"
    shutil.copytree(PATTERNS / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "__init__.py").touch()
    address = []
    if name == "transfers":
        services.couch("alone", fresh=True)
        address = [services.couch_url("alone")]
    ran = subprocess.run(
        [sys.executable, "-c", RUN, name, str(HERE / f"{name}.py"), *address],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    modules = {path.stem for path in (PATTERNS / name).rglob("*.py")} - {"__init__"}
    assert modules <= {line.rpartition(".")[2] for line in ran.stdout.split()}, "all were imported"


def test_there_are_six() -> None:
    assert NAMES == ["counters", "mixins", "notice_boards", "pubsub", "queues", "transfers"]
