"""Prints for a notebook: JupyterLab breaks a long line in the middle of a word, this does not."""

from __future__ import annotations

import textwrap

WIDTH = 96  # what an output has room for in a window 1280 pixels wide


def say(*words: object) -> None:
    """Print as `print` does, with long lines broken between words; what follows is indented."""
    for line in " ".join(map(str, words)).splitlines() or [""]:
        further = " " * (len(line) - len(line.lstrip()) + 4)
        print(
            textwrap.fill(
                line,
                WIDTH,
                subsequent_indent=further,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
