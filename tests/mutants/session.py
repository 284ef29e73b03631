"""Run by the Python that has cosmic-ray, in the copy: HOME PAGE|. SAMPLE SEED SECONDS [PART…]."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from tests.mutants import report
from tests.mutants.changes import Place, changed, digest, is_program, lot, place, statement
from tests.mutants.measured import Forks, Measured

PATTERNS = ("transfers", "mixins", "pubsub", "queues", "notice_boards", "counters")
PARTS = {part: f"src/patterns/{part}" for part in PATTERNS} | {"search": "src/raceproof/search"}
TESTS = {part: [f"tests/patterns/{part}", "tests/patterns/test_clients.py"] for part in PATTERNS}
TESTS["search"] = [
    "tests/raceproof/search",
    "tests/raceproof/test_reported_cases.py",
    "tests/raceproof/wire/redis/test_commands.py",
    "tests/raceproof/wire/redis/test_watch.py",
    "tests/raceproof/wire/sql/test_transactions.py",
]
LEFT_OUT = {"test_browser.py", "test_whole_day.py", "test_failover.py"}  # the slowest
AT_FIRST = 20  # tests, which are of few files: most changes are noticed by one of them
LEAST = 0.95


@dataclass
class Session:
    """What is known of one part, kept in `home`; a part whose text is another begins anew."""

    home: Path
    part: str
    forks: Forks | None = None

    def __post_init__(self) -> None:
        source = sorted(Path(PARTS[self.part]).rglob("*.py"))
        kept = self.home / f"{self.part}-{digest(*source)[:12]}.sqlite"
        is_new = not kept.exists()
        self.db = WorkDB(kept, WorkDB.Mode.create)
        if is_new:
            import_module("cosmic_ray.commands.init").init(source, self.db, {})
        self.items = {place(item): item for item in self.db.work_items}
        self.known = dict(self.db.results)
        self.measured = Measured(self.home / f"{self.part}.json")
        self.tests = digest(*test_files(self.part))[:12]

    def row(self, one: Place) -> int:
        """Return the line of a change."""
        return int(self.items[one].mutations[0].start_pos[0])

    def result(self, one: Place, may_live: report.Reasons) -> WorkResult | None:
        """Return what is known of a change; what other tests let live is not, unless it may."""
        known = self.known.get(self.items[one].job_id)
        if known is None or known.test_outcome != TestOutcome.SURVIVED:
            return known
        old = (known.diff or "").partition("\n")[0]
        settled = known.output.endswith(self.tests) or (one[0], one[1], old) in may_live
        return known if settled else None

    def try_out(self, one: Place, seconds: float) -> WorkResult:
        """Change, have the tests run, change back; keep what came of it."""
        if self.forks is None:
            unchanged = (
                ["workshop.services", "raceproof.wire.redis"] if self.part in PATTERNS else []
            )
            self.forks = Forks(self.home / f"{self.part}.log", *unchanged)
            files = sorted(map(str, test_files(self.part)))
            self.measured.update(self.forks, PARTS[self.part], files)
        lines = statement(Path(one[0]), self.row(one))
        tests = self.measured.tests_of(one[0], lines, seconds)
        red = ""
        with changed(one) as lines_changed:
            for some in (tests[:AT_FIRST], tests[AT_FIRST:]):
                if some and not red:
                    red = self.forks.ask(run=some, times=self.measured.times)["red"]
        outcome = TestOutcome.KILLED if red else TestOutcome.SURVIVED
        output = red or f"{len(tests)} tests are green, of {self.tests}"
        result = WorkResult(WorkerOutcome.NORMAL, output, outcome, lines_changed)
        self.db.set_result(self.items[one].job_id, result)
        return result


def test_files(part: str) -> Iterator[Path]:
    """Yield the files whose tests are those of a part."""
    for named in map(Path, TESTS[part]):
        for file in named.rglob("test_*.py") if named.is_dir() else [named]:
            if file.name not in LEFT_OUT:
                yield file


def main(home: Path, to: Path, sample: int, seed: int, seconds: float, parts: list[str]) -> int:
    """Try what is left to try, and report; what survived is tried again if the tests are others."""
    sessions = {part: Session(home, part) for part in PARTS if part in parts or not parts}
    of = {one: session for session in sessions.values() for one in session.items}
    drawn = filter(is_program, sorted(of, key=lambda one: lot(one, seed)))
    why = report.reasons(Path(report.MAY_LIVE))
    results: dict[Place, WorkResult] = {}
    with suppress(KeyboardInterrupt):  # what was tried until then is a sample too
        for number, one in enumerate(islice(drawn, sample or None), 1):
            known = of[one].result(one, why)
            if known is None:
                known = of[one].try_out(one, seconds)
                print(number, *one, known.test_outcome.value, known.output, flush=True)
            results[one] = known
    tried = [
        report.Tried(of[one].part, one, of[one].row(one), result, why)
        for one, result in results.items()
    ]
    head = {"asked": sample or "0", "seed": seed, "seconds": f"{seconds:g}"}
    page = report.page(head, Counter(session.part for session in of.values()), tried)
    print(page)
    if to != Path():
        to.write_text(page, encoding="utf-8")
    lived = sum(one.survived and not one.why for one in tried)
    return int(lived > (1 - LEAST) * len(tried))


if __name__ == "__main__":
    told = sys.argv
    numbers = int(told[3]), int(told[4]), float(told[5])
    sys.exit(main(Path(told[1]), Path(told[2]), *numbers, told[6:]))
