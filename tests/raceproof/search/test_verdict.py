"""Three verdicts, and the sentence that goes with them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import pytest
from tests.raceproof.toys import Cells, CellsAdapter, memory, nothing_to_check

from raceproof import Clock, Journal, Violation, explore, verdicts
from raceproof.search.bounds import count_text, number


def adds(world):
    world.cells.write("n", world.cells.read("n") + 1)


def n_is_2(world):
    if world.cells.numbers["n"] != 2:
        raise Violation(f"n is {world.cells.numbers['n']}")


BROKEN = dict(world=memory, clients={"a": adds, "b": adds}, check=n_is_2)
HOLDS = dict(BROKEN, preemptions=0)
UNDECIDED = dict(HOLDS, states=3)


def test_a_search_that_holds():
    report = explore(**HOLDS)
    assert (report.verdict, report.holds) == ("holds", True)
    report.assert_holds()


def test_a_broken_search_fails_with_the_sentence_and_the_whole_run():
    report = explore(**BROKEN)
    assert (report.verdict, report.holds) == ("broken", False)
    with pytest.raises(AssertionError) as failure:
        report.assert_holds()
    words = str(failure.value)
    assert words.startswith("6 schedules of 2 clients: 4 break it.")
    assert words.count("read n") == 2
    assert words.count("write n 1") == 2
    assert "n is 1" in words


def test_one_schedule_breaks_it_and_two_break_it():
    def check(world):
        raise Violation("wrong")

    one, two = ({"a": adds}, {"a": adds, "b": lambda world: world.cells.read("x")})
    assert explore(**dict(BROKEN, clients=one, check=check)).sentence == (
        "1 schedule of 1 client: 1 breaks it."
    )
    assert explore(**dict(BROKEN, clients=two, check=check)).sentence == (
        "3 schedules of 2 clients: 3 break it."
    )


def test_where_an_object_is_in_memory_is_no_part_of_what_is_wrong():
    class Account:
        pass

    def check(world):
        raise Violation(f"{Account()} has {world.cells.numbers['n']}")

    report = explore(**dict(BROKEN, check=check))
    assert report.broken == 6
    assert sorted(one.violation.rpartition("Account")[2] for one in report.findings) == [
        " object> has 1",
        " object> has 2",
    ]

    def fails(world):
        world.cells.read("n")
        raise ValueError(Account())

    report = explore(**dict(BROKEN, clients={"a": fails}))
    assert report.violation.endswith("Account object>")


def test_each_violation_is_found_with_the_number_of_its_schedules():
    def check(world):
        raise Violation("odd" if world.cells.numbers["n"] % 2 else "even")

    found = explore(**dict(BROKEN, check=check)).findings
    assert [(one.violation, one.schedules, one.run.violation) for one in found] == [
        ("odd", 4, "odd"),
        ("even", 2, "even"),
    ]


def test_a_search_cut_short_is_neither():
    report = explore(**UNDECIDED)
    assert (report.verdict, report.holds, report.broken) == ("not decided", False, 0)
    with pytest.raises(AssertionError, match=r"^not decided: .* cut short"):
        report.assert_holds()


def test_a_broken_run_seen_before_the_search_was_cut_short_is_broken():
    for states in range(1, 9):
        report = explore(**BROKEN, states=states)
        assert not report.complete
        assert report.verdict == ("broken" if report.broken else "not decided")
    assert report.verdict == "broken"


def test_the_table_tells_all_three_apart():
    found = verdicts({"a": HOLDS, "b": BROKEN, "c": UNDECIDED, "d": [HOLDS, UNDECIDED]})
    table = str(found)
    assert "✓ holds: 2 schedules" in table
    assert "✗ breaks: 4 of 6 " in table
    assert table.count("? not decided: cut short after") >= 4
    rows = [line for line in table.splitlines() if line.startswith("d")]
    assert "holds" not in rows[0]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0"),
        (34_650, "34,650"),
        (10**12, "1,000,000,000,000"),
        (10**12 + 1, "about 1.0 \N{MULTIPLICATION SIGN} 10^12"),
        (27 * 10**40 + 123, "about 2.7 \N{MULTIPLICATION SIGN} 10^41"),
        (996 * 10**40, "about 1.0 \N{MULTIPLICATION SIGN} 10^43"),
        (27 * 10**400 + 5, "about 2.7 \N{MULTIPLICATION SIGN} 10^401"),
        (996 * 10**400, "about 1.0 \N{MULTIPLICATION SIGN} 10^403"),
        (10**400, "about 1.0 \N{MULTIPLICATION SIGN} 10^400"),
    ],
)
def test_large_counts_are_rounded_in_words(count, words):
    assert count_text(count) == words
    assert number(count, "schedule") == f"{words} schedules"


def test_a_search_of_very_many_schedules_says_so_in_few_words():
    def writer(name):
        return lambda world: [world.cells.write(name, value) for value in range(5)]

    report = explore(world=memory, clients={n: writer(n) for n in "abcd"}, check=nothing_to_check)
    assert report.schedules == 11_732_745_024
    assert report.sentence.startswith("11,732,745,024 schedules")


def test_many_different_violations_are_listed_in_little_time():
    def noter(name):
        def notes(world):
            for value in range(6):
                world.cells.write(name, value)
                world.journal.note(world.cells.read("a") * 10 + world.cells.read("b"))

        return notes

    def check(world):
        raise Violation(f"{world.journal['a']} {world.journal['b']}"[:40])

    report = explore(
        world=memory, clients={"a": noter("a"), "b": noter("b")}, check=check, preemptions=2
    )
    before = time.thread_time()
    findings = report.findings
    assert len(findings) > 60
    assert time.thread_time() - before < 2
    assert sum(finding.schedules for finding in findings) == report.broken
    assert report.violation in {finding.violation for finding in findings}
    assert all(finding.run.violation == finding.violation for finding in findings)
    assert min(len(f.run.steps) for f in findings) == len(report.run.steps)


class Leases(Cells):
    """Numbers of which those below zero would be gone some time."""

    def explore_adapter(self, store: str, clock: object) -> CellsAdapter:
        class Adapter(CellsAdapter):
            def would_expire(self):
                return [name for name, value in self.cells.numbers.items() if value < 0]

        return Adapter(store, self)


@dataclass
class Timed:
    cells: Leases
    clock: Clock
    journal: Journal = field(default_factory=Journal)


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("", ""),
        ("a", ", the clock stands still, so 1 key that would expire stays"),
        ("aba", ", the clock stands still, so 2 keys that would expire stay"),
    ],
)
def test_the_sentence_says_that_no_time_passes_where_something_would_expire(names, words, merge):
    def client(world):
        world.cells.read("x")
        for name in names:
            world.cells.write(name, -1)
            world.cells.write(name, 1)

    case = dict(clients={"c": client}, check=nothing_to_check, merge=merge)
    assert explore(world=lambda: Timed(Leases(), Clock()), **case).sentence == (
        f"1 schedule of 1 client{words}: none breaks it."
    )
    for clock in (lambda: Clock(ticks=(5,)), lambda: Clock(step=0.1)):
        assert "clock" not in explore(world=lambda c=clock: Timed(Leases(), c()), **case).sentence


@pytest.mark.parametrize("status", [(), (0,), (None,)])
def test_a_client_that_exits_with_status_0_is_done(status):
    def exits(world):
        world.cells.write("x", 1)
        sys.exit(*status)

    def check(world):
        if world.cells.numbers["x"] != 1:
            raise Violation("it was not written")

    assert explore(world=memory, clients={"a": exits, "b": exits}, check=check).holds


@pytest.mark.parametrize("status", [1, "no"])
def test_another_status_is_a_finding(status):
    def exits(world):
        world.cells.read("x")
        sys.exit(status)

    report = explore(world=memory, clients={"a": exits}, check=nothing_to_check)
    assert report.violation == f"a raises SystemExit: {status}"
