"""How long the notebooks take, read from the notebooks: their headers, sections and exercises.

A header has the minutes of a whole notebook or sitting. A section's are counted here, cell by cell.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from workshop import reading_minutes

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
THREE_NODES = "5.12 on three nodes"
_SECTION = re.compile(r"^## (\d\.\d+) · (Exercises)?", re.MULTILINE)


class Sitting(NamedTuple):
    """The minutes of a notebook, or of one of two sittings with it."""

    read: int
    run: int
    exercises: int

    @property
    def teach(self) -> int:
        """The minutes for all but the exercises."""
        return self.read + self.run


@cache
def cells(number: str) -> list[Any]:
    """The cells of the notebook whose name begins with this number."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    found: list[Any] = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    return found


@cache
def sittings(number: str) -> list[Sitting]:
    """What the header of a notebook says."""
    header = re.sub(r"\s+", " ", re.split(r"\*\*Time:\*\*", cells(number)[0].source)[1])
    told = re.findall(
        r"(\d+) minutes to read,(?: (?:less than )?(\d+) to run,)? (\d+) for (?:its|the) exercise",
        header,
    )
    run = re.search(r"Running takes (\d+) minute", header)
    return [Sitting(int(r), int(m or (run[1] if run else 0)), int(e)) for r, m, e in told]


@cache
def sections(number: str) -> dict[str, float]:
    """The minutes to read each section, in the order of the notebook, the exercises left out.

    The title is read with the first section. The questions that follow the exercises of a first
    sitting are read, and belong to the section. The bank on three nodes is counted for itself.
    """
    found: dict[str, float] = defaultdict(float)
    here, exercise = "title", False
    for cell in cells(number):
        if cell.cell_type == "markdown":
            for section, exercises in _SECTION.findall(cell.source):
                here, exercise = section, bool(exercises)
        if not exercise or cell.id.startswith("quiz"):
            in_05 = number == "05" and cell.id.startswith("cluster-")
            found[THREE_NODES if in_05 else here] += reading_minutes.of_cell(cell)
    opening = found.pop("title")
    return {
        name: told + (opening if at == 0 else 0) for at, (name, told) in enumerate(found.items())
    }


@cache
def counted(number: str) -> list[float]:
    """The minutes to read each sitting with a notebook; the bank on three nodes is in none."""
    names = [name for name in sections(number) if name != THREE_NODES]
    second = names.index("5.12") if number == "05" else len(names)
    parts = [part for part in (names[:second], names[second:]) if part]
    return [sum(sections(number)[name] for name in part) for part in parts]


def up_to_five(minutes: float) -> int:
    """The minutes that a header says: the next number that five divides."""
    return 5 * math.ceil(minutes / 5)


@cache
def exercises(number: str) -> list[int]:
    """The minutes of each exercise, as its heading says; of 00, which has one, its header."""
    text = "\n".join(cell.source for cell in cells(number) if cell.cell_type == "markdown")
    found = re.findall(r"^### .*\((\d+) minutes\)$", text, re.MULTILINE)
    return [int(minutes) for minutes in found] or [sittings(number)[0].exercises]


@cache
def pauses(number: str) -> str:
    """Before which section the header says to pause, if it does."""
    said = re.search(r"pause is before (\d\.\d+)", re.sub(r"\s+", " ", cells(number)[0].source))
    return said[1] if said else ""
