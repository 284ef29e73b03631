"""The table that closes every notebook: versions of a pattern, searched three times each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raceproof.search.bounds import count_text, number
from raceproof.search.report import Report

Scenario = Mapping[str, Any]  # the keyword arguments of explore(), without its bounds

COLUMNS: dict[str, dict[str, int]] = {
    "any interleaving": {},
    "one crash": {"crashes": 1},
    "one lost reply": {"lost_replies": 1},
}


class Verdicts:
    """Versions of a pattern, with a report for each search; shown as a table.

    `reports["Room"]["one crash"]` is the list of reports behind a cell, one for
    each scenario of that version.
    """

    def __init__(
        self, reports: dict[str, dict[str, list[Report]]], guarantees: Mapping[str, str]
    ) -> None:
        self.reports = reports
        self._guarantees = guarantees

    @property
    def table(self) -> Any:
        """Return the table: a row for each version, a column for each search."""
        from raceproof import draw

        rows = [
            [name, *(_cell(found) for found in row.values()), self._guarantees.get(name, "")]
            for name, row in self.reports.items()
        ]
        return draw.table(["version", *COLUMNS, "what it guarantees"], rows)

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.table._repr_html_())


def verdicts(
    search: Callable[..., Report],
    versions: Mapping[str, Scenario | Sequence[Scenario]],
    guarantees: Mapping[str, str],
) -> Verdicts:
    """Search every version for interleavings alone, with one crash, and with one lost reply."""
    return Verdicts(
        {
            name: {
                column: [search(**scenario, **bounds) for scenario in _listed(scenarios)]
                for column, bounds in COLUMNS.items()
            }
            for name, scenarios in versions.items()
        },
        guarantees,
    )


def _listed(scenarios: Scenario | Sequence[Scenario]) -> Sequence[Scenario]:
    return [scenarios] if isinstance(scenarios, Mapping) else scenarios


def _cell(reports: list[Report]) -> Any:
    from raceproof import draw

    schedules = sum(report.schedules for report in reports)
    broken = sum(report.broken for report in reports)
    verdicts = {report.verdict for report in reports}
    if "broken" in verdicts:
        return draw.Cell("breaks", f"{count_text(broken)} of {count_text(schedules)}")
    if "not decided" in verdicts:
        return draw.Cell("not decided", f"cut short after {number(schedules, 'schedule')}")
    return draw.Cell("holds", number(schedules, "schedule"))
