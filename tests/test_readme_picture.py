"""The picture in the README is what the search finds, letter by letter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import redis
import sqlalchemy as sa

from raceproof import Violation, explore
from workshop import services

README = Path(__file__).parent.parent / "README.md"


@dataclass
class Site:
    redis: redis.Redis
    sql: sa.Engine


def twelve_hits() -> Site:
    site = Site(services.redis("readme", fresh=True), services.sql("readme", fresh=True))
    site.redis.set("hits:home", 12)
    with site.sql.begin() as tx:
        tx.execute(sa.text("CREATE TABLE pages (hits INTEGER)"))
        tx.execute(sa.text("INSERT INTO pages VALUES (0)"))
    return site


def flush(site: Site) -> None:
    """Move what Redis has counted into the database."""
    hits = site.redis.get("hits:home")
    if hits:
        with site.sql.begin() as tx:
            tx.execute(sa.text("UPDATE pages SET hits = hits + :n"), {"n": int(hits)})
        site.redis.delete("hits:home")


def each_hit_counts_once(site: Site) -> None:
    with site.sql.begin() as tx:
        hits = tx.execute(sa.text("SELECT hits FROM pages")).scalar_one()
    if hits != 12:
        raise Violation(f"12 visitors came, the database says {hits}")


def test_the_picture_in_the_readme_is_what_the_search_finds():
    report = explore(
        world=twelve_hits,
        clients={"flusher 1": flush, "flusher 2": flush},
        check=each_hit_counts_once,
    )
    fenced = README.read_text(encoding="utf-8").split("```")[1]
    assert dedent(fenced).strip() == str(report).strip()
