"""What the benches share, and a small run of each: what they measure is what they say."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis as redis_py
import sqlalchemy
from benches.compared import costs, environments, pages, ratios
from benches.counted_hits import ways
from benches.money_moved import results as moved
from benches.money_moved import trials as transfers
from benches.money_moved import versions
from benches.search_programs import results as judging
from benches.search_programs import with_raceproof
from benches.search_programs.programs import BROKEN, CUT, HOLDS, PROGRAMS, REDIS, SQL, UNDECIDED
from benches.search_programs.trials import searches
from benches.waiting_readers import browsers, posting, reading, waking

from patterns.counters import CounterBuffer, StreamCounter
from workshop import services


@pytest.fixture
def private_redis() -> redis_py.Redis:
    """A redis-server of our own, as the benches use it; on some machines there is none."""
    client = services.redis("bench", fresh=True)
    if "private server" not in services.about("redis"):
        pytest.skip("the benches need a redis-server of their own")
    return client


@pytest.fixture
def sqlite(tmp_path: Path) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'bench.sqlite'}")


# --- ratios, pages, environments -----------------------------------------------------------------


def test_each_way_has_its_turn_in_each_round() -> None:
    turns: list[str] = []
    found = ratios.rounds(2, {name: lambda name=name: turns.append(name) for name in "ab"})
    assert turns == ["a", "b", "a", "b"]
    assert found == {"a": [None, None], "b": [None, None]}


def test_a_ratio_is_of_one_round_and_stands_with_the_least_and_the_most() -> None:
    found = ratios.spread([10, 40, 90], [10, 20, 30])  # a slow round is slow for both
    assert found == {"times": 2, "least": 1, "most": 3}
    assert ratios.as_text(found) == "2.00 (1.00 to 3.00)"


@pytest.mark.parametrize(
    ("part", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_share_of_the_values_does_not_exceed_it(part: float, value: float) -> None:
    assert ratios.share([float(number) for number in range(1, 101)], part) == value


def test_a_page_has_the_file_the_table_and_no_name_of_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "RESULTS", tmp_path)
    on = pages.machine(couch="PouchDB 9")
    assert on["couch"] == "PouchDB 9"
    assert {"cores", "cpu", "load", "python", "redis", "redis-py", "date"} <= on.keys()
    found = {"machine": {"cores": 2}, "how": {"rounds": 3}, "rows": [{"way": "é", "times": 1.5}]}
    pages.write("some", "Some title", found, "a table")
    assert pages.load("some") == found
    page = (tmp_path / "some.md").read_text("utf-8")
    assert page.startswith("# Some title\n\n`python benches/some.py` wrote this.")
    assert "cores 2, rounds 3." in page
    assert page.endswith("\n\na table\n")


def test_an_environment_that_is_there_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(environments.subprocess, "run", lambda *_, **__: pytest.fail("made again"))
    (tmp_path / "peer").mkdir()
    (tmp_path / "peer" / "ready").write_text(str(["peer==1"]))
    environments.make_environment("peer", ["peer==1"])
    made: list[list[str]] = []
    monkeypatch.setattr(environments.subprocess, "run", lambda line, **_: made.append(line))
    environments.make_environment("peer", ["peer==2"])
    assert [line[:4] for line in made] == [
        [sys.executable, "-m", "uv", "venv"],
        [sys.executable, "-m", "uv", "pip"],
    ]


# --- notice boards -------------------------------------------------------------------------------


def test_a_post_is_seen_when_it_or_a_later_one_is() -> None:
    ms = 1_000_000
    posted = {2: 0, 3: 10 * ms, 4: 20 * ms}
    assert reading.waits(posted, {2: 5 * ms, 4: 50 * ms}) == [5, 30, 40]  # 3 was skipped
    assert reading.waits(posted, {2: 5 * ms}) == [5]


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_an_answer_is_there_when_its_body_is(answer: bytes, whole: bool) -> None:
    assert browsers.is_whole(answer) is whole


def test_each_way_posts(private_redis: redis_py.Redis) -> None:
    found = {name: measure() for name, measure in posting.trials(private_redis, 5).items()}
    assert [*found][:: len(found) - 1] == [posting.BARE, posting.OURS]
    assert all(one.per_second > 0 and math.isclose(one.both, one.here + one.server)
               for one in found.values())  # fmt: skip
    assert int(private_redis.hget("board:{bench}", "number")) == 6  # five, and one before


def test_a_cost_is_of_one_hit_of_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {"process_time": iter([0, 0.003]), "perf_counter": iter([5, 7])}
    stopped = {name: lambda ticks=ticks: next(ticks) for name, ticks in clocks.items()}
    monkeypatch.setattr(costs, "time", SimpleNamespace(**stopped))
    used = iter([1, 1.006])
    monkeypatch.setattr(costs, "of_server", lambda _: next(used))
    calls: list[None] = []
    found = costs.cost(redis_py.Redis(), lambda: calls.append(None), 3, each=100)
    assert len(calls) == 4  # one before the clock starts
    assert [found.here, found.server, found.both] == pytest.approx([10, 20, 30])
    assert found.per_second == 150


def test_who_watches_sees_each_post_and_asks_little(private_redis: redis_py.Redis) -> None:
    url = services.redis_url("bench")
    found = reading.read(private_redis, url, "NoticeBoard.watch", 4, 0.02)
    assert 0 < found.p50 <= found.p99
    assert found.requests > 0


def test_browsers_get_the_version_that_was_posted(private_redis: redis_py.Redis) -> None:
    with waking.hall(services.redis_url("bench"), "h11") as (server, clients):
        found = [waking.wake(private_redis, server, clients, size) for size in (3, 5)]
    assert all(0 < one.first <= one.p50 <= one.p99 for one in found)


# --- counters, transfers -------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, ways.AT_ONCE])
def test_every_hit_is_found_again(
    private_redis: redis_py.Redis, sqlite: sqlalchemy.Engine, at_once: int
) -> None:
    """Each way compares the hits that it sent with the sum."""
    found = [
        ways.direct(0.01, sqlite),
        ways.bare(0.01, private_redis, at_once),
        ways.buffered(0.01, private_redis, sqlite, CounterBuffer, at_once),
        ways.buffered(0.01, private_redis, sqlite, StreamCounter, at_once),
    ]
    assert all(one.per_second > 0 for one in found)


def test_every_version_moves_money(sqlite: sqlalchemy.Engine) -> None:
    each = transfers.trials({"SQLite": sqlite}, clients=2, accounts=3, count=4)
    found = {name: measure() for name, measure in each.items()}
    assert [*found] == [versions.PENDING, versions.NAIVE, versions.OURS, "SqlBank, SQLite"]
    assert found[versions.NAIVE].requests == 2
    assert found[versions.OURS].requests >= 2


@pytest.mark.parametrize("foreign", [True, False])
def test_the_processor_time_of_a_server_that_is_not_ours_is_not_told(
    foreign: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = iter([1.0, 3.0])
    monkeypatch.setattr(transfers, "used_by_children", lambda: next(used))
    monkeypatch.setattr(
        transfers.environment, "couchdb_url", lambda: "its URL" if foreign else None
    )
    monkeypatch.setattr(transfers, "fresh", lambda *_: None)
    monkeypatch.setattr(transfers, "on_couch", lambda *_: None)
    monkeypatch.setattr(transfers, "together", lambda *_: (2.0, 1.0))
    found = transfers.on_the_ledger(versions.OURS, 2, 3, 4)
    assert (found.per_second, found.here, found.server) == (2.0, 250.0, 0.0 if foreign else 500.0)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("transfers", "`python benches/transfers.py`"),
        ("transfers_apache", "`COUCHDB_URL=http://… python benches/transfers.py`"),
    ],
)
def test_each_couchdb_has_a_page_of_its_own(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pages.load(name)
    monkeypatch.setattr(pages, "RESULTS", tmp_path)
    moved.write(found)
    assert {file.name for file in tmp_path.iterdir()} == {
        f"{name}.{ending}" for ending in ("json", "md", "png")
    }
    assert f"{command} wrote this." in (tmp_path / f"{name}.md").read_text("utf-8")


def test_a_client_that_fails_is_not_counted_as_quick() -> None:
    def transfer(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transfers.together([transfer], accounts=2, count=1)


# --- searches ------------------------------------------------------------------------------------


def test_half_of_the_programs_are_wrong_on_each_store() -> None:
    assert [program.truth for program in PROGRAMS].count(BROKEN) == 4
    assert {program.truth for program in PROGRAMS if program.store == SQL} == {BROKEN, HOLDS}
    assert [program.crashes for program in PROGRAMS].count(1) == 1


@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if one.store == REDIS], ids=lambda one: one.name
)
def test_ours_is_right_about_the_programs_on_redis(
    private_redis: redis_py.Redis, program: judging.Program
) -> None:
    assert with_raceproof.search(program, private_redis)["verdict"] == program.truth


@pytest.mark.parametrize(
    ("program", "search", "verdict", "judged"),
    [
        (0, 0, BROKEN, "right"),
        (0, 1, HOLDS, 'a wrong "holds"'),
        (1, 1, BROKEN, 'a wrong "broken"'),
        (1, 1, CUT, "not decided"),
        (1, 2, UNDECIDED, "not decided"),
        (1, 2, "error", "an error"),
        (7, 0, HOLDS, 'a wrong "holds"'),  # the crash is what ours is for
        (7, 1, HOLDS, judging.OUTSIDE),
    ],
)
def test_how_a_verdict_is_judged(program: int, search: int, verdict: str, judged: str) -> None:
    assert judging.judged(PROGRAMS[program], searches()[search], verdict) == judged


def test_one_round_that_is_not_right_is_what_counts() -> None:
    found = [{"verdict": v, "seconds": s, "said": ""} for v, s in ((BROKEN, 1), (HOLDS, 3))]
    ours = [{"verdict": BROKEN, "seconds": 1, "said": ""}] * 2
    row = judging.judge(PROGRAMS[0], searches()[1], found, ours)
    assert row["judged"] == 'a wrong "holds"'
    assert [row[part] for part in ("seconds", "times", "least", "most")] == [2, 2, 1, 3]
    assert judging.counts([row, {**row, "search": "another"}], row["search"]) == {
        'a wrong "holds"': 1
    }
