from __future__ import annotations

import resource
from collections.abc import Callable, Iterator

import pytest
from tests.few_replays import few_replays
from tests.workshop.classroom.people import Person, join, teacher

from workshop.classroom.start import ClassServer

__all__ = ["few_replays"]


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is made now starts its servers itself, whatever this run is tested on."""
    monkeypatch.delenv("COUCHDB_URL", raising=False)


@pytest.fixture(scope="module", autouse=True)
def redis_of_its_own() -> Iterator[None]:
    """A Redis holds one class, and the tests hold many: each starts its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REDIS_URL", raising=False)
        yield


@pytest.fixture(scope="module")
def running(
    redis_of_its_own: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClassServer]:
    """One class for all tests of a module that do not end it; each has learners of its own."""
    given = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given[1], given[1]))  # as `make class` does
    with ClassServer(tmp_path_factory.mktemp("class")) as found:
        yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, given)


@pytest.fixture
def learner(running: ClassServer) -> Callable[[str], Person]:
    return lambda name: join(running.url, running.opening.join_code, name)


@pytest.fixture(scope="module")
def instructor(running: ClassServer) -> Person:
    return teacher(running.url, running.opening)
