"""Mocks of `unittest.mock`: what they answer next, and who asks how they were called."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from raceproof.search.code_names import all_names
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.spots import Spot

_CALLS = {"called", "call_count", "call_args", "call_args_list", "mock_calls", "method_calls"}
_CALLS |= {"assert_any_call", "assert_has_calls", "assert_not_called", "assert_any_await"}
_CALLS |= {"assert_has_awaits", "assert_not_awaited", "await_count", "await_args"}
_CALLS |= {"await_args_list", "assert_called", "assert_called_once", "assert_called_with"}
_CALLS |= {"assert_called_once_with", "assert_awaited", "assert_awaited_once"}
_CALLS |= {"assert_awaited_with", "assert_awaited_once_with"}
_OWN = ("_mock_", "_spec_", "__", "method_calls")


def is_mock(value: Any) -> bool:
    """Return whether this is a mock, each of which has a class of its own."""
    module = sys.modules.get("unittest.mock")
    return module is not None and issubclass(type(value), module.NonCallableMock)


def is_caplog(kind: type) -> bool:
    """Return whether this is the class of pytest's `caplog`."""
    return kind.__module__ == "_pytest.logging" and kind.__name__ == "LogCaptureFixture"


def contents_of_mock(mock: Any) -> list[Any]:
    """Return all on which its next answers depend, and the attributes that it was given.

    That it was called is not among them: most are there to be called, and nobody asks them.
    """
    names = {n: held for n, held in vars(mock).items() if not n.startswith(_OWN)}
    return [*names, *names.values(), *_answers(mock, set())]


def calls_of(mock: Any) -> int:
    """Return how often this mock or an attribute of it was called."""
    return len(mock.mock_calls)


def asked_of(mocks: Iterable[Any], functions: Iterable[Any]) -> Iterator[Spot]:
    """Yield the calls of these mocks, if one of the functions may ask for them."""
    written = (one for one in functions if isinstance(one, FunctionType))
    codes = [one.__code__ for one in written if is_a_learners(one.__globals__)]
    names = frozenset().union(*map(all_names, codes))
    if names & _CALLS:
        for mock in mocks:
            yield Spot(f"the calls of {mock._extract_mock_name()}", partial(calls_of, mock))


def _answers(mock: Any, seen: set[int]) -> Iterator[Any]:
    """Yield what it and its attributes answer, where that was said."""
    seen.add(id(mock))
    of_mock = vars(mock)
    answer, effect = of_mock.get("_mock_return_value"), of_mock.get("_mock_side_effect")
    children = [held for n, held in of_mock["_mock_children"].items() if not n.startswith("__")]
    yield from (one for one in (answer, effect) if one is not None and not _is_made(one))
    for child in (answer, *children):
        if is_mock(child) and id(child) not in seen:
            yield from _answers(child, seen)


def _is_made(answer: Any) -> bool:
    """Whether a mock answers this because nobody said what: it makes it when it is asked."""
    return is_mock(answer) or answer is sys.modules["unittest.mock"].DEFAULT
