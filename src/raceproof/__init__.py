"""Search every interleaving, crash and lost reply of a few clients, for real.

    report = explore(world=new_world, clients={"a": hit, "b": hit}, check=both_count)
    table = verdicts({"the classic": {…}, "the fix": {…}})

`explore` returns a Report, which counts and holds a Finding for each thing that went wrong; the
shortest way to it is a Run of Steps, and the Fate of a step says how its call ended. `verdicts`
searches versions of one pattern and returns Verdicts, one row each.

In a world: clients of services, a Clock, a Journal. A check raises Violation. What ends a
search: Unsearchable, or an ExplorerError (NotDeterministicError, NoCallError). Crash is what a
client that dies sees.

The packages, each of which may import those above it, but `wire` and `draw` not each other:

trace     what a run is, as plain values; the words for commands
wire      where client libraries meet the search: redis, couch, sql
draw      transcript, space-time diagram, tables, charts
search    explore, verdicts, the graph of states, the report
record    a live session as a run; it knows nothing of `search`
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
