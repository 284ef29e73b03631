"""Tests that are about servers of our own run on those, whatever the environment names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workshop.services import environment


@pytest.fixture(scope="module")
def own_servers() -> Iterator[None]:
    """No server of anybody else's is named, and no backend is ruled out."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "COUCHDB_URL", "DATABASE_URL", "PATTERNS_JOIN"):
            patch.delenv(name, raising=False)
        if environment.only_fakeredis():
            patch.delenv("PATTERNS_REDIS")
        yield
