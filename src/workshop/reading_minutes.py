"""How long a cell of a notebook takes to read, by the rule that notebook 00 states.

200 words a minute, 40 lines of code a minute, half a minute for each transcript or figure.
"""

from __future__ import annotations

from nbformat import NotebookNode

WORDS, LINES, SHOWN = 200, 40, 0.5


def of_cell(cell: NotebookNode) -> float:
    """Return the minutes to read a cell, with what it shows."""
    if cell.cell_type == "markdown":
        return float(len(cell.source.split()) / WORDS)
    shown = sum(output.output_type in ("display_data", "execute_result") for output in cell.outputs)
    code = sum(bool(line.strip()) for line in cell.source.splitlines())
    return code / LINES + SHOWN * shown
