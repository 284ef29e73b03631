"""What was tried, as a table: benches/results/mutants.md."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from cosmic_ray.work_item import TestOutcome, WorkResult
from tests.mutants.changes import Place

#: What ends a test that hangs; see forks.py.
HUNG = {"CPU time", "waits for ever"}
MAY_LIVE = "tests/mutants/survivors.csv"
Reasons = dict[tuple[str, str, str], str]
ABOUT = """# Changed lines

`make mutants SAMPLE={asked}`: cosmic-ray changes the helpers or the search in one place, and the
tests that run the changed line are run until one is red: the quickest first, as many as take
{seconds} CPU seconds together. Each change has a lot, drawn with seed {seed}, and the lowest were
tried. What is no program once it is changed, or differs in an annotation only, is passed over. The
slowest test files, and the tests that repeat others on a cluster or on PostgreSQL, are left out:
what only they would notice counts as survived. `tests/mutants/survivors.csv` says why some changes
may live. Tests that were written for the survivors of a sample make its own score better, not that
of the changes it does not hold: another seed draws others.

| part | changes | tried | killed | may live | survived |
| --- | ---: | ---: | ---: | ---: | ---: |
"""


class Tried:
    """A change that was tried: what came of it, and why it may live, if it may."""

    def __init__(self, part: str, one: Place, row: int, result: WorkResult, why: Reasons) -> None:
        self.part, self.file, self.row = part, one[0], row
        self.survived = result.test_outcome == TestOutcome.SURVIVED
        self.hung = result.output in HUNG
        self.old, _, self.new = (result.diff or "").partition("\n")
        self.why = why.get((one[0], one[1], self.old), "") if self.survived else ""


def reasons(file: Path) -> Reasons:
    """Return why some changes may live: by file, operator and the line as it was."""
    with file.open(encoding="utf-8") as lines:
        return {(row[0], row[1], row[2]): row[3] for row in csv.reader(lines)}


def counts(tried: list[Tried]) -> list[int]:
    """Return how many were tried, were killed, may live, and survived without a reason."""
    survived = [one for one in tried if one.survived]
    may_live = sum(bool(one.why) for one in survived)
    killed = len(tried) - len(survived)
    return [len(tried), killed, may_live, len(survived) - may_live]


def page(head: dict[str, object], all_of_it: Counter[str], tried: list[Tried]) -> str:
    """Return the page: a row for each part and one for all, and each survivor."""
    by_part = [(part, [one for one in tried if one.part == part]) for part in all_of_it]
    rows = [(part, all_of_it[part], *counts(of_part)) for part, of_part in by_part]
    rows.append(("all", sum(all_of_it.values()), *counts(tried)))
    known, killed, may_live, not_explained = counts(tried)
    hung = sum(one.hung for one in tried)
    said = ABOUT.format(**head) + "\n".join(
        f"| {row[0]} | " + " | ".join(f"{n:,}" for n in row[1:]) + " |" for row in rows
    )
    said += (
        f"\n\n{killed} of {known} were killed ({killed / max(known, 1):.1%}), {hung} of them as a "
        f"test did not end. {may_live} may live; {not_explained} survived without a reason.\n\n"
    )
    for one in tried:
        if one.survived:
            said += f"- `{one.file}:{one.row}`: `{one.old}`\n  → `{one.new}`: {one.why or '?'}\n"
    tool = f"cosmic-ray {version('cosmic-ray')}, Python {python_version()}"
    return f"{said.rstrip()}\n\n{datetime.now(UTC).date()}, seed {head['seed']}, {tool}.\n"
