"""The rules of the house: green for `src`, and red for each planted violation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.layers import AUDIT, broken_rules, lines_of_patterns

import raceproof

SRC = Path(__file__).parent.parent / "src"

#: A small house in order: what may be imported is, in every way that there is.
HOUSE = {
    "patterns/queues/__init__.py": "from .work_queue import WorkQueue",
    "patterns/queues/work_queue.py": "import redis\nfrom . import job\nclass WorkQueue: ...",
    "patterns/queues/job.py": "import sqlalchemy as sa\nclass KeyAlreadyUsed: ...",
    "patterns/counters/counter.py": "def f():\n    import redis\nclass KeyAlreadyUsed: ...",
    "raceproof/__init__.py": "from raceproof.search import explore",
    "raceproof/trace/steps.py": "import dataclasses\nclass Step: ...",
    "raceproof/draw/diagram.py": "from raceproof.trace.steps import Step",
    "raceproof/wire/__init__.py": "LIBRARIES = {'redis': 'raceproof.wire.redis'}",
    "raceproof/wire/redis.py": "from raceproof.trace import steps",
    "raceproof/search/__init__.py": (
        "def explore():\n    from raceproof import draw, wire\n    return draw, wire"
    ),
    "raceproof/search/progress.py": (
        "import os\nLIVE = os.environ.get('JPY_SESSION_NAME') or os.getenv('PYTEST_VERSION')"
    ),
    "raceproof/search/outside.py": (
        "import subprocess\nfrom raceproof.search import stand_ins\n"
        "stand_ins.method(subprocess.Popen, '__init__', len)"
    ),
    "raceproof/search/stand_ins.py": "",
    "raceproof/record/session.py": "from raceproof.draw import diagram\nclass Session: ...",
    "workshop/services/processes.py": "import os, subprocess\nHOME = os.environ['HOME']",
    "workshop/services/server.mjs": "// a server",
    "workshop/notebooks.py": "from patterns import queues\nfrom raceproof import explore",
}
LAZY = "def f():\n    {}"
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}"

PLANTED = {  # one file more, or another text in a file: what the checker must say
    "a pattern that imports another": (
        "patterns/counters/counter.py",
        "from ..queues.job import Job",
        "patterns.counters.counter:1 imports patterns.queues.job: patterns do not know each other",
    ),
    "a pattern that imports itself by its full name": (
        "patterns/queues/job.py",
        LAZY.format("from patterns.queues import work_queue"),
        "patterns.queues.job:2 imports patterns.queues.work_queue: "
        "a pattern imports itself relatively",
    ),
    "a pattern that imports the search, in a function": (
        "patterns/queues/job.py",
        LAZY.format("from raceproof import Clock"),
        "patterns.queues.job:2 imports raceproof: a pattern knows nothing of ours",
    ),
    "a pattern that imports a library that is no client's": (
        "patterns/queues/job.py",
        "import pandas as pd",
        "patterns.queues.job:1 imports pandas: a pattern needs its client library and no more",
    ),
    "an arrow upwards, for type checking only": (
        "raceproof/trace/steps.py",
        TYPES.format("from raceproof.wire import redis"),
        "raceproof.trace.steps:3 imports raceproof.wire.redis: trace may not enter wire",
    ),
    "an arrow between two rooms of one floor": (
        "raceproof/draw/diagram.py",
        "from ..wire.redis import x",
        "raceproof.draw.diagram:1 imports raceproof.wire.redis: draw may not enter wire",
    ),
    "a room that goes in by the front door": (
        "raceproof/wire/redis.py",
        LAZY.format("from raceproof import explore"),
        "raceproof.wire.redis:2 imports raceproof: wire may not enter by the front door",
    ),
    "a search that knows a pattern": (
        "raceproof/search/progress.py",
        TYPES.format("import patterns.queues"),
        "raceproof.search.progress:3 imports patterns.queues: raceproof knows no pattern",
    ),
    "a search that knows the workshop, by a string": (
        "raceproof/search/progress.py",
        "from importlib import import_module\nimport_module('workshop.services.processes')",
        "raceproof.search.progress:2 imports workshop.services.processes: nothing imports workshop",
    ),
    "a circle, half of it in a function": (
        "patterns/queues/job.py",
        LAZY.format("from .work_queue import WorkQueue"),
        "a circle: patterns.queues.job ↔ patterns.queues.work_queue",
    ),
    "a module that is too long": (
        "raceproof/trace/long.py",
        "\n" * 201,
        "raceproof.trace.long has 201 lines; 200 are allowed",
    ),
    "a helper that is too long": (
        "patterns/queues/long.py",
        "\n" * 151,
        "patterns.queues.long has 151 lines; 150 are allowed",
    ),
    "a script for Node that is too long": (
        "workshop/services/server.mjs",
        "\n" * 201,
        "server.mjs has 201 lines; 200 are allowed",
    ),
    "a process started outside the services": (
        "workshop/notebooks.py",
        LAZY.format("from subprocess import run"),
        "workshop.notebooks:2 starts a process: subprocess",
    ),
    "a process started by the operating system's own name": (
        "raceproof/wire/redis.py",
        "import os\nos.posix_spawn('a', [], {})",
        "raceproof.wire.redis:2 starts a process: os.posix_spawn",
    ),
    "a process started where processes are refused": (
        "raceproof/search/outside.py",
        "import subprocess\nsubprocess.run(['a'])",
        "raceproof.search.outside:2 starts a process: subprocess.run",
    ),
    "the environment read outside the services": (
        "workshop/notebooks.py",
        "import os\nURL = os.environ.get('REDIS_URL')",
        "workshop.notebooks:2 reads the environment: os.environ",
    ),
    "the environment taken as a whole": (
        "workshop/notebooks.py",
        "from os import environ",
        "workshop.notebooks:1 reads the environment: os.environ",
    ),
    "a vague file name": (
        "raceproof/draw/font_utils.py",
        "",
        "raceproof.draw.font_utils has a vague file name: utils",
    ),
    "a metaphor for a file name": (
        "raceproof/search/stage.py",
        "",
        "raceproof.search.stage has a vague file name: stage",
    ),
    "one class name for two things": (
        "workshop/notebooks.py",
        "class Session: ...",
        "Session is a class of raceproof.record.session, workshop.notebooks",
    ),
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, text in HOUSE.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for folder in list(file.relative_to(tmp_path).parents)[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    return tmp_path


def test_the_house_is_in_order() -> None:
    broken = broken_rules(SRC)
    assert not broken, "\n".join(broken)


def test_the_front_door_says_what_is_behind_it() -> None:
    text = raceproof.__doc__ or ""
    rooms = {path.parent.name for path in (SRC / "raceproof").glob("*/__init__.py")}
    assert set(re.findall(r"^(\w+)  +\w", text, re.MULTILINE)) == rooms
    assert [name for name in raceproof.__all__ if name not in text] == []


def test_what_a_reader_takes_home_is_small() -> None:
    in_all, without_two_tools = lines_of_patterns(SRC)
    print(f"src/patterns: {in_all} lines of Python, {without_two_tools} without AUDIT and web")
    assert in_all <= 4500
    assert without_two_tools <= 3200


def test_lines_are_counted_with_and_without_the_two_tools(tmp_path: Path) -> None:
    sizes = {"mixins/audit.py": 1, "mixins/orders.py": 10, "notice_boards/web/app.py": 2}
    for name, lines in sizes.items():
        file = tmp_path / "patterns" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n" * lines)
    assert lines_of_patterns(tmp_path) == (13, 10)
    assert all((SRC / "patterns" / "mixins" / f"{name}.py").exists() for name in AUDIT)


def test_a_small_house_in_order(house: Path) -> None:
    assert broken_rules(house) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_violation_is_found(house: Path, planted: str) -> None:
    name, text, said = PLANTED[planted]
    (house / name).write_text(text)
    assert said in broken_rules(house)
