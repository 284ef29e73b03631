"""Runs and measurements as pictures.

    draw.transcript(run)            a run as text: a column for each actor, time running down
    draw.diagram(run)               the same run as a space-time diagram, with alt text
    draw.table(columns, rows)       a small table; draw.Cell("holds" | "breaks" | …)
    with draw.style(): …            matplotlib and pandas charts in the one style
    draw.show(fig, title=…, alt=…)  that chart as a notebook output, closed behind you
    draw.colour(i), draw.PALETTE    the colours of a chart's series
    draw.ACCENT                     the colour that means "this is where it goes wrong"
    draw.INK, draw.QUIET, draw.PAPER   the colours of letters, of what is less important, below all
    draw.label_line(ax, name, colour)  a line's name at its end, instead of a legend

They give back a draw.Transcript, a draw.Picture or a draw.Table: each shows itself in a notebook.

Everything knows `raceproof.trace.steps` and nothing else of the search. What is
text is deterministic and the same on every machine; what may differ (measured
numbers, the last pixel of a font) is inside a PNG.
"""

from raceproof.draw.charts import (
    ACCENT,
    INK,
    PALETTE,
    PAPER,
    QUIET,
    colour,
    label_line,
    show,
    style,
)
from raceproof.draw.diagram import diagram
from raceproof.draw.picture import Picture
from raceproof.draw.tables import Cell, Table, table
from raceproof.draw.transcript import Transcript, transcript

__all__ = [
    "ACCENT",
    "INK",
    "PALETTE",
    "PAPER",
    "QUIET",
    "Cell",
    "Picture",
    "Table",
    "Transcript",
    "colour",
    "diagram",
    "label_line",
    "show",
    "style",
    "table",
    "transcript",
]
