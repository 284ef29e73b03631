"""An environment of its own, in build/bench, for a peer that does not live in ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "build" / "bench"


def python_in(name: str) -> str:
    """Return the Python of an environment."""
    return str(ENVIRONMENTS / name / "bin" / "python")


def make_environment(name: str, pinned: Sequence[str]) -> None:
    """Make it with these packages: the first time from the network, the second time nothing."""
    ready, wanted = ENVIRONMENTS / name / "ready", str(list(pinned))
    if ready.exists() and ready.read_text() == wanted:
        return
    uv = [sys.executable, "-m", "uv"]
    folder = str(ENVIRONMENTS / name)
    subprocess.run([*uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
    into = ["--python", python_in(name)]
    subprocess.run([*uv, "pip", "install", "-q", *into, *pinned], check=True)
    ready.write_text(wanted)
