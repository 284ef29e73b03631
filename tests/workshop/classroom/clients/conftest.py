"""A class, and a learner's home that is empty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.workshop.classroom.clients.a_class import AClass, ClassHere
from tests.workshop.classroom.clients.network import Network

from workshop.classroom import membership, notebook_client

PATIENCE = 300  # seconds


@pytest.fixture(scope="module")
def a_class() -> Iterator[AClass]:
    """A class; its learners' names are the tests' own affair."""
    running = ClassHere()
    yield running
    running.stop()


@pytest.fixture
def network(a_class: AClass) -> Iterator[Network]:
    """What is between the learner and the class."""
    with Network(a_class.port) as between:
        yield between


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the user's own, and a kernel that has not joined."""
    monkeypatch.setattr(membership, "FOLDER", tmp_path / "home")
    monkeypatch.setattr(notebook_client, "_joined_here", False)
    monkeypatch.setattr(notebook_client, "LONGEST_PAUSE", 0.5)
    return tmp_path / "home"


def until(true: Callable[[], object], otherwise: Callable[[], object] = str) -> None:
    """Return once it is true, however long the machine takes; `otherwise()` says what is seen."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, otherwise()
        threading.Event().wait(0.05)
