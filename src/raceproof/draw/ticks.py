"""Numbers on a logarithmic axis, written out: `1,000,000`, not `1e+06`."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, LogFormatterSciNotation


class Plain(LogFormatter):
    """Labels the ticks that matplotlib would label, with their numbers written out."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of the tick at `x`, empty if it has none."""
        return f"{x:,.12g}" if super().__call__(x, pos) else ""


def write_out(figure: Figure) -> None:
    """Write out the numbers of every logarithmic axis that was given no format of its own."""
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if isinstance(major := axis.get_major_formatter(), LogFormatterSciNotation):
            axis.set_major_formatter(_plain(major))
        if isinstance(minor := axis.get_minor_formatter(), LogFormatterSciNotation):
            axis.set_minor_formatter(_plain(minor))


def _plain(old: LogFormatterSciNotation) -> Plain:
    plain = Plain()
    vars(plain).update(vars(old))
    return plain
