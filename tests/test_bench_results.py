"""What README and the notebooks say of what was measured is what was found.

The files are those of one run; nothing is measured here. The bounds are generous where a busy
machine widens the spread.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benches.compared.ratios import as_text
from benches.counted_hits import ways
from benches.money_moved.versions import NAIVE, OURS, PENDING
from benches.search_programs.programs import PROGRAMS
from benches.search_programs.results import OUTSIDE
from benches.search_programs.trials import searches
from benches.waiting_readers import posting, reading, waking

ROOT = Path(__file__).parents[1]
README = " ".join((ROOT / "README.md").read_text("utf-8").split())


def found(name: str) -> dict[str, Any]:
    text = (ROOT / "benches" / "results" / f"{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def page(name: str) -> str:
    return (ROOT / "benches" / "results" / f"{name}.md").read_text("utf-8")


def notebook(name: str) -> str:
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return " ".join(" ".join("".join(cell["source"]).split()) for cell in cells)


BOARDS, COUNTERS = found("notice_boards"), found("counters")
TRANSFERS, SEARCHES, CLASS = found("transfers"), found("searches"), found("classroom")
APACHE = found("transfers_apache")
HITS = {row["way"]: row for row in COUNTERS["rows"]}


@pytest.mark.parametrize("results", [BOARDS, COUNTERS, TRANSFERS, APACHE, SEARCHES])
def test_results_say_of_which_machine_and_how(results: dict[str, Any]) -> None:
    assert {"cores", "cpu", "load", "python", "redis", "date"} <= results["machine"].keys()
    assert results["how"]["rounds"] >= 2


# --- boards --------------------------------------------------------------------------------------


def test_a_post_takes_less_than_twice_a_bare_publish() -> None:
    assert "post takes less than twice the processor time of a bare `PUBLISH`" in README
    rows = {row["way"]: row for row in BOARDS["posts"]}
    assert rows[posting.BARE]["times"] == 1
    assert 1 < rows[posting.OURS]["times"] < 2
    for row in rows.values():
        assert row["least"] <= row["times"] <= row["most"]
        assert as_text(row) in page("notice_boards")


def test_who_watches_sees_a_post_sooner_than_who_asks_and_asks_for_less() -> None:
    assert "sees a post sooner than one that asks each 10 ms, and asks for less" in README
    rows = {row["way"]: row for row in BOARDS["reads"]}
    assert [*rows] == [*reading.WAYS]
    watch, polled = rows["NoticeBoard.watch"], rows["polling each 10 ms"]
    assert watch["p50"] < polled["p50"]
    assert watch["requests"] < polled["requests"]


def test_a_watcher_asks_four_times_for_a_post() -> None:
    assert "Those four are to look, to subscribe, and to look after" in notebook("03_notice_boards")
    [watch] = [row for row in BOARDS["reads"] if row["way"] == "NoticeBoard.watch"]
    assert watch["requests"] * BOARDS["how"]["every"] < 5  # a post that is skipped costs nothing


def test_browsers_were_woken_on_both_servers() -> None:
    """How soon is in the page; texts do not state it, as it is the machine's."""
    assert [row["http"] for row in BOARDS["wakes"] if row["browsers"] == 1000] == [*waking.SERVERS]
    for row in BOARDS["wakes"]:
        assert 0 < row["first"] <= row["p50"] <= row["p99"]
        assert row["least"] <= row["p99"] <= row["most"]


# --- counters ------------------------------------------------------------------------------------


def test_a_buffered_hit_takes_less_than_twice_the_bare_command() -> None:
    assert "less than twice the processor time of the bare `HINCRBY` in the same pipeline" in README
    for name in (ways.BUFFER, ways.BUFFER_PIPED):
        assert HITS[name]["cpu times bare"]["times"] < 2


def test_a_pipeline_is_what_makes_a_buffer_fast() -> None:
    """As the fourth notebook says of its chart."""
    assert "what makes it fast is a pipeline" in notebook("04_counter_buffering")
    assert HITS[ways.DIRECT]["times direct"]["times"] == 1
    assert HITS[ways.BUFFER_PIPED]["times direct"]["times"] > 10
    alone, piped = (HITS[name]["hits a second"] for name in (ways.BUFFER, ways.BUFFER_PIPED))
    assert piped > 3 * alone


def test_the_page_of_the_counters_shows_what_the_file_says() -> None:
    for name, row in HITS.items():
        [line] = [line for line in page("counters").splitlines() if line.startswith(f"{name} ")]
        assert f"{row['hits a second']:,}" in line
        assert as_text(row["times direct"]) in line


# --- transfers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "server"), [(TRANSFERS, "PouchDB"), (APACHE, "Apache CouchDB")]
)
def test_bank_makes_four_times_the_transfers_of_the_pending_version(
    results: dict[str, Any], server: str
) -> None:
    assert "With eight clients on twenty accounts, `Bank` makes more than four times" in README
    assert results["machine"]["couch"].startswith(server)
    assert results["how"]["accounts"] == 20
    rows = {row["version"]: row for row in results["rows"] if row["clients"] == 8}
    assert rows[OURS]["times"] > 4
    assert rows[PENDING]["times"] == 1


def test_what_each_version_asks_for() -> None:
    """The fifth notebook says why the pending one is slow."""
    text = notebook("05_couchdb_transfer")
    assert "with eight clients each of them does the others' work as well" in text
    assert "which makes two requests a transfer whatever happens" in text
    for clients in (1, 8):
        rows = {row["version"]: row for row in TRANSFERS["rows"] if row["clients"] == clients}
        assert rows[NAIVE]["requests"] == 2
        assert 2 <= rows[OURS]["requests"] < 3
    assert rows[PENDING]["requests"] > 3 * rows[OURS]["requests"]


# --- searches ------------------------------------------------------------------------------------


def test_ours_says_the_truth_of_every_program() -> None:
    assert "of eight small programs the search says the truth" in README
    ours = [row for row in SEARCHES["rows"] if row["search"] == "raceproof"]
    assert [row["program"] for row in ours] == [program.name for program in PROGRAMS]
    assert {row["judged"] for row in ours} == {"right"}


def test_a_search_is_not_blamed_for_what_it_is_not_for() -> None:
    assert {row["search"] for row in SEARCHES["rows"]} == {one.name for one in searches()}
    for row in SEARCHES["rows"]:
        crash = row["program"] == PROGRAMS[-1].name and row["search"] != "raceproof"
        assert (row["judged"] == OUTSIDE) == crash


# --- a class -------------------------------------------------------------------------------------


def test_each_acknowledged_solve_of_a_thousand_learners_is_there_once() -> None:
    text = notebook("07_one_api")
    assert "each reports ten solves while the server and then Redis are killed" in text
    assert (CLASS["how"]["learners"], CLASS["how"]["ticks"]) == (1000, 10)
    assert (CLASS["acknowledged"], CLASS["wrong"], len(CLASS["kills"])) == (10_000, 0, 3)
    assert sum(row["ticks"] for row in CLASS["rows"]) == 10_000
    for row in CLASS["rows"]:
        assert row["when"] in page("classroom")
        assert f"{row['p99'] * 1000:,.0f} ms" in page("classroom")
