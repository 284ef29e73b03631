"""Search every interleaving, crash and lost reply of a few clients, for real.

trace     what a run is, as plain values
wire      where client libraries meet the search
search    explore, verdicts, the report
draw      transcript, space-time diagram, tables, charts
record    a live session as a run
"""

from raceproof.search import (
    Clock,
    Crash,
    ExplorerError,
    Fate,
    Finding,
    Journal,
    NoCallError,
    NotDeterministicError,
    Report,
    Run,
    Step,
    Unsearchable,
    Verdicts,
    Violation,
    explore,
    verdicts,
)

__all__ = [
    "Clock",
    "Crash",
    "ExplorerError",
    "Fate",
    "Finding",
    "Journal",
    "NoCallError",
    "NotDeterministicError",
    "Report",
    "Run",
    "Step",
    "Unsearchable",
    "Verdicts",
    "Violation",
    "explore",
    "verdicts",
]
