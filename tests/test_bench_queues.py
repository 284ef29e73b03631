"""What `benches/queues.py` counts, and that what is said of it is what it has found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benches.queue_engines import counting
from benches.queue_engines.engines import ENGINES, PINNED

ROOT = Path(__file__).parents[1]
MS = 1_000_000  # nanoseconds


def notes(text: str) -> counting.Notes:
    """Read notes whose times are in milliseconds."""
    lines = [line.split() for line in text.splitlines()]
    return counting.read(f"{what} {n} {int(ms) * MS}\n".encode() for what, n, ms in lines)


QUIET = """put 0 0
put 1 10
begin 0 100
end 0 100
begin 1 130
end 1 200"""


def test_a_rate_is_from_the_first_start_to_the_last_end() -> None:
    assert counting.rate(notes(QUIET)) == pytest.approx(20)  # two jobs in 100 ms


def test_a_wait_is_from_put_to_the_first_start() -> None:
    again = QUIET + "\nbegin 0 900\nput 2 0"  # 0 begins once more; 2 has not begun
    assert counting.waits(notes(again)) == [100, 120]


def test_nothing_is_lost_or_doubled_where_each_ends_once() -> None:
    found = notes(QUIET)
    assert (counting.lost(found), counting.doubled(found), counting.begun_again(found)) == (0, 0, 0)


def test_what_began_and_never_ended_is_lost() -> None:
    found = notes(QUIET + "\nput 2 0\nbegin 2 300\nput 3 0")
    assert counting.lost(found) == 2


def test_what_ended_twice_is_doubled_and_what_was_interrupted_is_not() -> None:
    found = notes(QUIET + "\nbegin 0 300\nend 0 310\nend 0 320\nbegin 1 300")
    assert counting.doubled(found) == 1
    assert counting.begun_again(found) == 2
    assert counting.lost(found) == 0


def test_a_note_that_was_cut_off_is_no_note() -> None:
    found = counting.read([b"end 1 5\n", b"end 12 70", b"end 3\n", b"\n"])
    assert found.ended == [(1, 5)]


def test_versions_of_peers_that_are_not_in_the_lock_are_pinned() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    for engine in ENGINES:
        if engine.package in PINNED:
            assert all("==" in pinned for pinned in PINNED[engine.package])
        elif engine.package:
            assert re.search(rf"^{engine.package}==", lock, re.MULTILINE)


# --- what is said of the results ----------------------------------------------------------------

FOUND = json.loads((ROOT / "benches" / "results" / "queues.json").read_text("utf-8"))
ROWS = {row["engine"]: row for row in FOUND["rows"]}
OURS = ("ReliableQueue", "StreamQueue")


def test_the_results_are_of_all_engines_and_say_of_which_machine() -> None:
    assert list(ROWS) == [engine.name for engine in ENGINES]
    assert {"cores", "cpu", "python", "redis", "redis-py", "date"} <= FOUND["machine"].keys()
    for row in ROWS.values():
        assert row["least"] <= row["times bare"] <= row["most"]


def test_ours_have_half_the_speed_of_the_bare_commands_or_more_and_are_ahead_of_all() -> None:
    others = [
        row["times bare"] for name, row in ROWS.items() if name not in (*OURS, "bare BLMOVE + LREM")
    ]
    for name in OURS:
        assert ROWS[name]["times bare"] >= 0.5
        assert ROWS[name]["times bare"] > max(others)


def test_ours_lose_nothing_when_their_worker_is_killed() -> None:
    for name in OURS:
        assert ROWS[name]["kills"] >= 30
        assert ROWS[name]["lost"] == 0


def test_the_readme_and_the_notebook_say_what_was_found() -> None:
    """The tests above hold for it; these are the sentences that they hold."""
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert "more than half the speed of bare `BLMOVE` and `LREM`, ahead of six engines" in readme
    assert "none is lost when a worker is killed again and again" in readme
    notebook = json.loads((ROOT / "notebooks" / "02_queues.ipynb").read_text("utf-8"))
    cells = [" ".join("".join(cell["source"]).split()) for cell in notebook["cells"]]
    assert any("Ours are ahead of all six, and lose nothing" in cell for cell in cells)


def test_who_pops_loses_a_job_for_nearly_every_kill() -> None:
    """As the notebook says of huey and of the bare commands."""
    for name in ("bare BLMOVE + LREM", "huey"):
        assert ROWS[name]["lost"] > ROWS[name]["kills"] / 2


def test_the_page_shows_what_the_file_says() -> None:
    page = (ROOT / "benches" / "results" / "queues.md").read_text("utf-8")
    for name, row in ROWS.items():
        [line] = [
            line
            for line in page.splitlines()
            if line.startswith(f"{name} {row['version']}".strip() + " ")
        ]
        assert f"{row['jobs a second']:,}" in line
        assert f"{row['times bare']:.2f} ({row['least']:.2f} to {row['most']:.2f})" in line
