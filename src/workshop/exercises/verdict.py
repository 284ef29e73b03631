"""What a marker says: passed or not, why, and what shows it."""

from __future__ import annotations

import html
import inspect
import traceback
from dataclasses import dataclass

from raceproof import Report
from raceproof.draw import Table


@dataclass(frozen=True)
class Verdict:
    """Passed or not, why, and what shows it.

    That is a search's `report`, of which the shortest broken schedule is shown, or
    `shown`: a table, or lines of text.
    """

    passed: bool
    sentence: str
    report: Report | None = None
    shown: Table | str | None = None

    def __str__(self) -> str:
        shown = self.shown if self.report is None else self.report.transcript()
        return self._said() if shown is None else f"{self._said()}\n\n{shown}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = f"<p><strong>{html.escape(self._said())}</strong></p>"
        if self.report is not None:
            return f"{said}{self.report.transcript()._repr_html_()}"
        if isinstance(self.shown, str):
            return f"{said}\n<pre>{html.escape(self.shown)}</pre>"
        return said if self.shown is None else f"{said}\n{self.shown._repr_html_()}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/plain": str(self), "text/html": self._repr_html_()}, raw=True)  # type: ignore[no-untyped-call]
        if self.report is not None:
            display(self.report.diagram())  # type: ignore[no-untyped-call]

    def _said(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.sentence}"


def line_of(error: BaseException, handed_in: object = None) -> str:
    """Return where in the learner's own code an error came from, empty if it did not.

    That is the innermost line in the cell of the function that was handed in; if there is none,
    the line of the notebook that has called it. Without a function, it is the innermost line in
    any cell.
    """
    code = getattr(inspect.unwrap(handed_in), "__code__", None) if callable(handed_in) else None
    frames = list(reversed(traceback.extract_tb(error.__traceback__)))
    cells = [frame for frame in frames if "ipykernel" in frame.filename]
    own = [frame for frame in frames if frame.filename == code.co_filename] if code else cells
    if own:
        return f" (line {own[0].lineno} of your cell: {own[0].line})"
    return f" (where your function is used: `{cells[0].line}`)" if cells else ""
