"""For tests that search much: fewer schedules are made again after each search.

That a search does so, and what it finds by that, is held by tests/raceproof/search.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raceproof.search import replay


@pytest.fixture(scope="module", autouse=True)
def few_replays() -> Iterator[None]:
    """Make the first and the last schedule again, in place of six."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "SCHEDULES", 2)
        yield
