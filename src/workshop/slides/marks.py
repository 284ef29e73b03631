"""Which cells of a notebook are slides: those with `slides` in their metadata.

    "slides": [{"show": "figure"}]

One cell can be several slides; each entry is one. What it can have:

show     title       the notebook's title, question and minutes
         text        only the lines below
         code        the cell's code, or a part of it: from the line that begins with `from`, and
                     up to, not with, the line that begins with `to`
         output      what the cell puts out, as table, transcript or text; `output` is its number
         figure      the cell's picture
lines    sentences that stand in the cell, or in the text before it, word for word
title    a title; without it, the heading above the cell

A speaker's notes are the cell's own text, or for code the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from workshop import reading_minutes

KEYS = {"show", "lines", "title", "from", "to", "output"}
_HEADING = re.compile(r"^#+ (?:\d\.\d+ · )?(.+)$", re.MULTILINE)
_EXERCISE = re.compile(r"\((\d+) minutes\)")


@dataclass(frozen=True)
class Marked:
    """One slide before it is drawn: its cell, what its mark says, its title, notes and minutes."""

    cell: NotebookNode
    mark: dict[str, Any]
    title: str
    notes: str
    minutes: int
    exercise: bool


def marked(notebook: NotebookNode) -> list[Marked]:
    """Return the slides of a notebook in their order; ValueError for a mark that cannot be."""
    cells = notebook.cells
    places = [at for at, cell in enumerate(cells) if cell.metadata.get("slides")]
    found = []
    counted = 0.0
    for at, after in zip(places, [*places[1:], len(cells)], strict=False):
        cell = cells[at]
        title, exercise = _heading(cells, at), "exercise" in cell.metadata.get("tags", [])
        before, counted = counted, counted + sum(_minutes(cells, at, after))
        minutes = round(counted) - round(before)
        if exercise:
            minutes = _exercise_minutes(cells, title)
        for mark in cell.metadata["slides"]:
            if set(mark) - KEYS:
                raise ValueError(f"{cell.id}: a slide has no {sorted(set(mark) - KEYS)}")
            notes = _notes(cells, at)
            _said(cell, mark, notes)
            found.append(Marked(cell, mark, mark.get("title", title), notes, minutes, exercise))
            minutes = 0
    return found


def _heading(cells: list[NotebookNode], at: int) -> str:
    above = [
        h for c in cells[: at + 1] if c.cell_type == "markdown" for h in _HEADING.findall(c.source)
    ]
    return str(above[-1])


def _minutes(cells: list[NotebookNode], at: int, after: int) -> Iterator[float]:
    """The minutes to read what is told with a slide: its cell, and those up to the next one."""
    exercises = False
    for place, cell in enumerate(cells[:after]):
        if cell.cell_type == "markdown" and (
            found := re.findall(r"^## .*", cell.source, re.MULTILINE)
        ):
            exercises = any(" Exercises" in heading for heading in found)
        if place >= at and not exercises:
            yield reading_minutes.of_cell(cell)


def _exercise_minutes(cells: list[NotebookNode], title: str) -> int:
    told = _EXERCISE.search(title) or re.search(r"(\d+) for the exercise", cells[0].source)
    if told is None:
        raise ValueError(f"{title}: no minutes")
    return int(told[1])


def _notes(cells: list[NotebookNode], at: int) -> str:
    """The text that goes with a cell: its own, or what stands right before and after it."""
    if cells[at].cell_type == "markdown":
        return str(cells[at].source)
    before = at - 1
    if cells[before].cell_type != "markdown":  # of several code cells the text is above the first
        before = max(
            n
            for n in range(at)
            if cells[n].cell_type == "markdown" and "\n#" in f"\n{cells[n].source}"
        )
    after = cells[at + 1] if at + 1 < len(cells) else None
    texts = [cells[before].source]
    if after is not None and after.cell_type == "markdown" and "\n#" not in f"\n{after.source}":
        texts.append(after.source)
    return "\n\n".join(texts)


def _said(cell: NotebookNode, mark: dict[str, Any], notes: str) -> None:
    """ValueError for a line that the notebook does not say."""
    for line in mark.get("lines", ()):
        if flat(line) not in flat(notes):
            raise ValueError(f"{cell.id}: the notebook does not say: {line}")


def flat(text: str) -> str:
    """Return a text with one space for all that stands between its words."""
    return re.sub(r"\s+", " ", text)
