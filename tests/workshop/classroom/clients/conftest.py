from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
<<<<<<<< HEAD:tests/workshop/classroom/conftest.py
from tests.workshop.classroom.people import Person, join, teacher
========
from tests.workshop.classroom.clients.a_class import AClass
from tests.workshop.classroom.clients.network import Network
>>>>>>>> 9583209 (The pages in a browser: tests with an instructor, three learners, a network that is cut, a keyboard, and axe-core):tests/workshop/classroom/clients/conftest.py

from workshop.classroom.start import ClassServer

PATIENCE = 45  # seconds

<<<<<<<< HEAD:tests/workshop/classroom/conftest.py
@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassServer]:
    """One class for all tests that do not end it; each has learners of its own."""
    with ClassServer(tmp_path_factory.mktemp("class")) as found:
        yield found
========

@pytest.fixture(scope="session")
def a_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AClass]:
    """A class; its learners' names are the tests' own affair."""
    running = AClass(tmp_path_factory.mktemp("class") / "folder")
    yield running
    running.stop()
>>>>>>>> 9583209 (The pages in a browser: tests with an instructor, three learners, a network that is cut, a keyboard, and axe-core):tests/workshop/classroom/clients/conftest.py


@pytest.fixture
def learner(running: ClassServer) -> Callable[[str], Person]:
    return lambda name: join(running.url, running.opening.join_code, name)


<<<<<<<< HEAD:tests/workshop/classroom/conftest.py
@pytest.fixture(scope="session")
def instructor(running: ClassServer) -> Person:
    return teacher(running.url, running.opening)
========
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
>>>>>>>> 9583209 (The pages in a browser: tests with an instructor, three learners, a network that is cut, a keyboard, and axe-core):tests/workshop/classroom/clients/conftest.py
