from __future__ import annotations

import resource
from collections.abc import Callable, Iterator

import pytest
from tests.workshop.classroom.people import Person, join, teacher

from workshop.classroom.start import ClassServer


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is made now starts its servers itself, whatever this run is tested on."""
    for name in ("REDIS_URL", "COUCHDB_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassServer]:
    """One class for all tests that do not end it; each has learners of its own."""
    given = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given[1], given[1]))  # as `make class` does
    with ClassServer(tmp_path_factory.mktemp("class")) as found:
        yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, given)


@pytest.fixture
def learner(running: ClassServer) -> Callable[[str], Person]:
    return lambda name: join(running.url, running.opening.join_code, name)


@pytest.fixture(scope="session")
def instructor(running: ClassServer) -> Person:
    return teacher(running.url, running.opening)
