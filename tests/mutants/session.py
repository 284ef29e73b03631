"""Run by the Python that has cosmic-ray, in the copy: HOME SAMPLE SEED [PART…]."""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

HERE = "tests/patterns"
PARTS = {  # quick tests first: most changes are found by them
    "transfers": "examples sql_bank copies branches generated searches",
    "mixins": "audit_forms contexts providers class_trees audit_generated",
    "pubsub": "examples searches processes",
    "queues": "examples work_queue worker searches processes",
    "notice_boards": "examples web searches",
    "counters": "examples searches processes",
}
# In an annotation, which is never evaluated, any operator may stand between two types.
NO_CHANGE = re.compile(r"core/ReplaceBinaryOperator_BitOr_\w+")
LEAST = 0.95


def tests(part: str) -> str:
    """Return the command that is to fail."""
    files = [f"{HERE}/{part}/test_{name}.py" for name in PARTS[part].split()]
    options = "-q -x -n 0 -p no:cacheprovider --timeout 300"
    return (
        f"{os.environ['TESTS_WITH']} -m pytest {options} {' '.join(files)} {HERE}/test_clients.py"
    )


def session(home: Path, part: str) -> tuple[Path, Path]:
    """Return a part's settings and its session, which is made if it is not there."""
    settings, kept = home / f"{part}.toml", home / f"{part}.sqlite"
    settings.write_text(
        f'[cosmic-ray]\nmodule-path = ["src/patterns/{part}"]\ntimeout = 900.0\n'
        f'excluded-modules = []\ntest-command = "{tests(part)}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    if not kept.exists():
        tool("init", settings, kept)
    return settings, kept


def tool(*arguments: Any) -> None:
    """Call cosmic-ray."""
    subprocess.run([sys.executable, "-m", "cosmic_ray.cli", *map(str, arguments)], check=True)


def place(item: Any) -> tuple[str, str, int]:
    """Return what names a change in every session: file, operator, which of its occurrences."""
    change = item.mutations[0]
    return str(change.module_path), change.operator_name, change.occurrence


def choose(databases: list[WorkDB], sample: int, seed: int) -> None:
    """Leave out what changes nothing, and all but a sample of the rest."""
    items = {place(i): (db, i.job_id) for db in databases for i in db.work_items}
    real = sorted(one for one in items if not NO_CHANGE.fullmatch(one[1]))
    chosen = set(random.Random(seed).sample(real, min(sample, len(real))) if sample else real)
    for db in databases:
        done = {job for job, result in db.results if result.test_outcome}
        skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
        jobs = [job for one, (there, job) in items.items() if there is db and one not in chosen]
        db.set_multiple_results([job for job in jobs if job not in done], skipped)


def report(databases: list[WorkDB]) -> int:
    """Print how many of each part were killed, and each that was not; return the exit status."""
    with Path("tests/mutants/survivors.csv").open(encoding="utf-8") as lines:
        may_live = {tuple(row[:3]): row[3] for row in csv.reader(lines)}
    counts: Counter[str] = Counter()
    for db in databases:
        items, here = {item.job_id: item for item in db.work_items}, Counter[str]()
        for job, result in db.results:
            if result.test_outcome is None:
                continue
            here["tried"] += 1
            if result.test_outcome != TestOutcome.SURVIVED:
                here["killed"] += 1
                continue
            file, operator, which = place(items[job])
            changed = re.search(r"^-(?!-- )\s*(.*)$", result.diff or "", re.MULTILINE)
            why = may_live.get((file, operator, changed[1] if changed else ""), "")
            here["may live"] += bool(why)
            line = items[job].mutations[0].start_pos[0]
            print(f"survived: {file}:{line} {operator} {which} {why}")
            if not why:
                print(result.diff)
        print(
            f"| {Path(db.name()).stem} |",
            *(f"{here[w]} |" for w in ("tried", "killed", "may live")),
        )
        counts += here
    found = counts["killed"] + counts["may live"]
    print(f"{counts['killed']} of {counts['tried']} were killed, {counts['may live']} may live.")
    return int(found < LEAST * counts["tried"])


def main(home: Path, sample: int, seed: int, parts: list[str]) -> int:
    """Try what is left to try, and report."""
    sessions = {part: session(home, part) for part in parts or PARTS}
    databases = [WorkDB(kept, WorkDB.Mode.open) for _, kept in sessions.values()]
    choose(databases, sample, seed)
    for settings, kept in sessions.values():
        tool("exec", settings, kept)
    return report(databases)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
