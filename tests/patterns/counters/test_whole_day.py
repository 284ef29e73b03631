"""The day of page views: the file is what its script makes, and the buffer carries all of it."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path

import pytest
import sqlalchemy as sa

from patterns.counters import HOUR, CounterBuffer

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture(scope="module")
def day() -> list[dict[str, str]]:
    """A row for each five minutes."""
    with (DATA / "page_views.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_script_makes_the_file(tmp_path: Path) -> None:
    runpy.run_path(str(DATA / "make_page_views.py"))["main"](tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (DATA / "page_views.csv").read_bytes()


def test_the_day_is_what_its_description_says(day: list[dict[str, str]]) -> None:
    assert len(day) == 288
    zones = {zone: [int(row[zone]) for row in day] for zone in day[0] if zone != "utc"}
    assert len(zones) == 50
    assert min(min(counts) for counts in zones.values()) > 0
    totals = sorted((sum(counts) for counts in zones.values()), reverse=True)
    assert 280 < sum(totals) / 86_400 < 295
    assert 1.8 < totals[0] / totals[1] < 2.2, "Zipf: the second gets half"
    busiest = max(day, key=lambda row: sum(map(int, list(row.values())[1:])))
    assert busiest["utc"] == "14:20"


def test_every_zone_and_hour_arrives(
    day: list[dict[str, str]], buffer: CounterBuffer, sql: sa.Engine
) -> None:
    expected: dict[tuple[int, str], int] = {}
    for number, row in enumerate(day):
        at = 300 * number
        with buffer.redis.pipeline(transaction=False) as pipe:
            page = CounterBuffer(pipe, buffer.sql, buffer.name, buffer.period)
            for zone, views in list(row.items())[1:]:
                page.hit(zone, by=int(views), at=at)
                slot = (at // HOUR * HOUR, zone)
                expected[slot] = expected.get(slot, 0) + int(views)
            pipe.execute()
        if number % 7 == 6:  # batches that end in the middle of hours
            buffer.flush()
    buffer.flush()
    assert len(expected) == 24 * 50
    assert buffer.counts() == expected
