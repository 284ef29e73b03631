"""The space-time diagram: the same run as the transcript, as a drawing.

In the tradition of Leslie Lamport, "Time, Clocks, and the Ordering of Events in a
Distributed System" (1978), and of the message diagrams of Jepsen's Maelstrom; with
the numbers of the transcript, the words on the arrows, and the place where it goes
wrong.
"""

from __future__ import annotations

from raceproof.draw.narration import describe
from raceproof.draw.picture import Picture
from raceproof.trace.steps import Run


def diagram(run: Run, *, title: str | None = None) -> Picture:
    """Return the run as a picture. The title is the violation, unless another is given.

    Equal runs give equal bytes. No pyplot, no global setting is touched. Labels are
    short; the transcript of the same run has every word, under the same step numbers.
    """
    # Imported here: half a second that a transcript or a table need not wait for.
    from raceproof.draw.charts import to_png
    from raceproof.draw.diagram_layout import WIDTH, lay_out
    from raceproof.draw.render import figure_of, quiet

    alt = describe(run, "Space-time diagram")
    with quiet():
        png = to_png(figure_of(lay_out(run, title or _finding(run))), alt)
    return Picture(png, alt, round(WIDTH))


def _finding(run: Run) -> str:
    told = run.violation or "A run in which nothing goes wrong"
    first = told.split(" ", 1)[0]
    names = (*run.actors, *run.stores)
    return told[0].upper() + told[1:] if first.isalpha() and first not in names else told
