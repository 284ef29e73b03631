"""How long each test takes, and which lines of a part it runs; kept, and brought up to date."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.mutants.changes import digest


class Forks:
    """The process whose forks run the tests."""

    def __init__(self, log: Path, *modules: str) -> None:
        program = [os.environ["TESTS_WITH"], Path(__file__).with_name("forks.py"), log, *modules]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **what: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))


class Measured:
    """What the tests of a part do when nothing is changed, by their files' text."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        nothing = {"source": "", "files": {}, "times": {}, "lines": {}}
        self.known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else nothing

    def update(self, forks: Forks, part: str, files: list[str]) -> None:
        """Measure the files that are not as they were; all of them if the part is not."""
        known, source = self.known, digest(*Path(part).rglob("*.py"))
        now = {file: digest(Path(file)) for file in files}
        new = [f for f in files if known["source"] != source or known["files"].get(f) != now[f]]
        if not new:
            return
        said = forks.ask(measure=new, source=part)
        if said["red"]:
            raise SystemExit(f"red when nothing is changed: {', '.join(said['red'])}")
        kept = {test for test in known["times"] if test.split("::")[0] not in new}
        times = {t: took for t, took in known["times"].items() if t in kept} | said["times"]
        lines = said["lines"]
        for file, by_line in known["lines"].items() if kept else ():
            for line, tests in by_line.items():
                there = lines.setdefault(file, {}).setdefault(line, [])
                there += [test for test in tests if test in kept or test == ""]
        self.known = {"source": source, "files": now, "times": times, "lines": lines}
        self.kept.write_text(json.dumps(self.known))

    @property
    def times(self) -> dict[str, float]:
        """The CPU seconds of each test."""
        return dict(self.known["times"])

    def tests_of(self, file: str, lines: Iterable[int], seconds: float) -> list[str]:
        """Return the tests that run any of these lines, quickest first, up to the seconds."""
        by_line = self.known["lines"].get(file, {})
        seen = {test for line in lines for test in by_line.get(str(line), ())}
        # What runs when a module is imported any test may notice; a test with processes of
        # its own is not seen to run the lines that they run.
        apart = {test for test in self.times if "test_processes" in test}
        found = set(self.times) if "" in seen or not seen else seen | apart
        chosen, total = [], 0.0
        for test in sorted(found & set(self.times), key=self.times.__getitem__):
            total += self.times[test]
            if total <= seconds or not chosen:
                chosen.append(test)
        return chosen
