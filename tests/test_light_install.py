"""Who installs the helpers alone gets few packages, and they work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import light_install


def test_the_helpers_and_the_search_are_a_light_install() -> None:
    script = Path(light_install.__file__)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if done.returncode == light_install.NO_NETWORK:
        pytest.skip("a light install: the package index cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    size, *used = done.stdout.splitlines()
    packages, mb = map(int, re.findall(r"\d+", size)[:2])
    assert packages <= light_install.MOST_PACKAGES
    assert mb <= light_install.MOST_MB
    assert used == [
        "a queue handed out cat.png",
        "a counter says {(0, 'home'): 3}",
        "a search says: 6 schedules of 2 clients: 4 break it.",
    ], size
