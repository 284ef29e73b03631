"""Shows that a long search is alive, and leaves nothing behind.

Nothing appears in the first second, nor where nobody watches (nbconvert, nbval,
pytest, a pipe). In JupyterLab it is one line below the cell that ends empty; in a
terminal, one line on stderr that ends erased.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from time import monotonic
from typing import Any

from raceproof.draw.front_end import live_front_end

_SILENT = 1.0  # seconds before anything shows
_PAUSE = 0.2  # seconds between two updates


class Progress:
    """A line such as `12,345 schedules, 67 to go on with`, at most five times a second."""

    def __init__(self, unit: str = "schedules", *, clock: Callable[[], float] = monotonic) -> None:
        self.unit = unit
        self._clock = clock
        self._next = 0.0
        self._write: Callable[[str], None] | None = None

    def __enter__(self) -> Progress:
        self._next = self._clock() + _SILENT
        return self

    def __call__(self, done: int, open_: int = 0) -> None:
        """Say how many are done, and how many are known to be still open."""
        if (now := self._clock()) < self._next:
            return
        self._next = now + _PAUSE
        if self._write is None:
            self._write = _writer()
        rest = f", {open_:,} to go on with" if open_ else ""
        self._write(f"{done:,} {self.unit}{rest} …")

    def __exit__(self, *exc_info: object) -> None:
        if self._write is not None:
            self._write("")


def _writer() -> Callable[[str], None]:
    if live_front_end():
        return _below_the_cell()
    return _in_the_terminal if sys.stderr.isatty() else lambda line: None


def _below_the_cell() -> Callable[[str], None]:
    from IPython.display import display

    handle: Any = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def write(line: str) -> None:
        shown = f'<span role="status">{escape(line)}</span>' if line else ""
        handle.update({"text/html": shown, "text/plain": line}, raw=True)

    return write


def _in_the_terminal(line: str) -> None:
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
