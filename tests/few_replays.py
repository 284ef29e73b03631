"""For tests that search much: fewer schedules and fewer worlds are made again in each search.

That a search does so, and what it finds by that, is held by tests/raceproof/search.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raceproof.search import replay, service_states


@pytest.fixture(scope="module", autouse=True)
def few_replays() -> Iterator[None]:
    """Make the first and the last schedule again, and one world of thirty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "SCHEDULES", 2)
        patch.setattr(service_states, "REMADE_FIRST", 1)
        patch.setattr(service_states, "REMADE_LATER", 30)
        yield
