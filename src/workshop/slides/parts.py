"""What of a notebook is told with which slide, and what has no slide: by its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby, zip_longest

from nbformat import NotebookNode

from workshop import reading_minutes

_HEADING = re.compile(r"^(#+) (?:(\d\.\d+) · )?(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """Some minutes of a notebook: those of the slide of a cell, or of a heading without one."""

    heading: str
    slide: int | None
    minutes: float


@dataclass(frozen=True)
class _Place:
    """Where a cell stands: its section, the last heading above it, whether it is an exercise's."""

    section: str
    heading: str
    exercise: bool


def parts(cells: list[NotebookNode], slides: list[int]) -> list[Told]:
    """Return the parts of a notebook in their order; `slides` are the places of marked cells.

    A slide is told with the cells of its heading, from the slide before it to the next one. A
    section without any slide is one part. Exercises are read by the learners, and not counted.
    """
    places = _places(cells)
    shown = {places[at].section for at in slides}
    found = []

    def unit(at: int) -> tuple[str, str]:
        place = places[at]
        return (place.section, place.heading if place.section in shown else "")

    for _, group in groupby(range(len(cells)), unit):
        inside = list(group)
        here = [at for at in inside if at in slides]
        begins = [inside[0], *here[1:]]
        ends = [*begins[1:], inside[-1] + 1]
        for begin, slide, end in zip_longest(begins, here, ends):
            counted = [at for at in range(begin, end) if not places[at].exercise]
            place = places[begin if slide is None else slide]
            name = place.heading if place.section in shown else place.section
            if slide is not None or counted:
                minutes = sum(reading_minutes.of_cell(cells[at]) for at in counted)
                found.append(Told(name, slide, minutes))
    return found


def _places(cells: list[NotebookNode]) -> list[_Place]:
    section, heading, exercises = "", "", False
    found = []
    for cell in cells:
        for level, number, words in _headings(cell):
            heading = words
            if len(level) <= 2:
                section = f"{number} {words}".strip()
                exercises = words.startswith("Exercises")
        found.append(_Place(section, heading, exercises and not cell.id.startswith("quiz")))
    return found


def _headings(cell: NotebookNode) -> list[tuple[str, str, str]]:
    return _HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
