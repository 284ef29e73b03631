"""Small tables with marks: ✓ holds, ✗ breaks, ? not decided, a dash for what was not searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from raceproof.draw.narration import printable, width

Mark = Literal["holds", "breaks", "not decided", "not searched"]
_SIGNS: dict[Mark, str] = {
    "holds": "✓",
    "breaks": "✗",
    "not decided": "?",
    "not searched": "\N{EN DASH}",
}


@dataclass(frozen=True)
class Cell:
    """A cell with a mark: `Cell("breaks", "3 of 70")` reads `✗ breaks: 3 of 70`, in one line."""

    mark: Mark
    text: str = ""

    def __str__(self) -> str:
        said = f"{_SIGNS[self.mark]} {self.mark}"
        return f"{said}: {self.text}" if self.text else said


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names. The first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    caption: str = ""

    def __str__(self) -> str:
        grid = [[printable(str(cell)) for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(width(cell) for cell in column) for column in zip(*grid, strict=True)]
        told = [
            " | ".join(
                cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)
            ).rstrip()
            for row in grid
        ]
        told.insert(1, "-+-".join("-" * size for size in widths))
        return "\n".join([self.caption, *told] if self.caption else told)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col"{_LEFT}>{_safe(name)}</th>' for name in self.columns)
        body = "\n".join(f"<tr>{''.join(_cells(row))}</tr>" for row in self.rows)
        caption = f"<caption{_CAPTION}>{_safe(self.caption)}</caption>\n" if self.caption else ""
        parts = f"{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
        return f"<table{_SMALL}>\n{parts}\n</table>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> Table:
    """Return a table. Cells are shown by `str()`, unless they are a `Cell`.

    Raises ValueError if a row has not as many cells as there are columns.
    """
    made = tuple(
        tuple(cell if isinstance(cell, Cell) else str(cell) for cell in row) for row in rows
    )
    for row in made:
        if len(row) != len(columns):
            raise ValueError(f"the row {row} has {len(row)} cells for {len(columns)} columns")
    return Table(tuple(columns), made, caption)


_PLACE = "text-align: left; vertical-align: top; padding: 0.3em 0.4em"
_LEFT = f' style="{_PLACE}"'
# A row of verdicts is then two lines at most, where a notebook is 830 pixels wide.
_SMALL = ' style="font-size: 0.85em"'
_CAPTION = ' style="caption-side: top; text-align: left; color: inherit; padding: 0.4em 0"'
_TINTS: dict[Mark, str] = {
    "holds": "rgba(0, 114, 178, 0.14)",
    "breaks": "rgba(213, 94, 0, 0.20)",
    "not decided": "transparent",
    "not searched": "transparent",
}


def _cells(row: tuple[str | Cell, ...]) -> list[str]:
    first, *rest = row
    return [f'<th scope="row"{_LEFT}>{_safe(str(first))}</th>', *map(_cell, rest)]


def _cell(cell: str | Cell) -> str:
    if not isinstance(cell, Cell):
        return f"<td{_LEFT}>{_safe(cell)}</td>"
    style = f"{_PLACE}; white-space: nowrap; background: {_TINTS[cell.mark]}"
    return f'<td style="{style}">{_safe(str(cell))}</td>'


def _safe(text: str) -> str:
    return escape(printable(text))
