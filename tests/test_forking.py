"""A process of a test has the environment of the test that starts it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests import forking


def tell(said: Any, name: str) -> None:
    said.put(os.environ.get(name))


def told(name: str) -> str | None:
    context = forking.context()
    said = context.SimpleQueue()
    process = context.Process(target=tell, args=(said, name))
    process.start()
    answer: str | None = said.get()
    process.join()
    return answer


def test_each_process_has_the_environment_of_who_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value in ("first", "second"):  # the first may also start the one that all are copies of
        monkeypatch.setenv("PATTERNS_TOLD", value)
        assert told("PATTERNS_TOLD") == value
    monkeypatch.delenv("PATTERNS_TOLD")
    assert told("PATTERNS_TOLD") is None
