"""Providers: order, conflicts and laziness, and what they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.mixins import Context, ContextProviders, KeyConflict, Later, MalformedContext


def first(subject: Any) -> dict[str, Any]:
    return {"first": True}


def second(subject: Any) -> dict[str, Any]:
    return {"second": subject}


class Third:
    def __call__(self, subject: Any) -> dict[str, Any]:
        return {"third": 3}


def test_every_order_gives_the_same_context() -> None:
    for order in itertools.permutations([first, second, Third()]):
        context = ContextProviders(*order).collect("page")
        assert context == {"first": True, "second": "page", "third": 3}
        assert isinstance(context, Context)
        assert len(context) == 3
    assert ContextProviders().collect("page") == {}


def test_the_keys_come_in_the_order_of_the_providers() -> None:
    assert list(ContextProviders(second, first).collect(1)) == ["second", "first"]


def test_a_conflict_names_the_key_and_both_sides_in_either_order() -> None:
    def also_first(subject: Any) -> dict[str, Any]:
        return {"first": False}

    for order in itertools.permutations([first, also_first]):
        with pytest.raises(KeyConflict) as caught:
            ContextProviders(*order).collect(None)
        error = caught.value
        assert error.key == "first"
        assert (error.first, error.second) == tuple(provider.__name__ for provider in order)
        assert "'also_first'" in str(error)


def test_with_and_without_make_new_lists() -> None:
    one = ContextProviders(first)
    two = one.with_(second)
    assert repr(one) == "ContextProviders(first)"
    assert repr(two) == "ContextProviders(first, second)"
    assert list(two) == [first, second]
    assert two.without("first").collect(1) == {"second": 1}
    with pytest.raises(LookupError, match="no provider 'third', only first, second"):
        two.without("third")


def test_later_is_computed_when_read_and_once() -> None:
    calls: list[str] = []

    def costly(subject: Any) -> dict[str, Any]:
        return {"report": Later(lambda: calls.append(subject) or len(calls))}

    providers = ContextProviders(first, costly)
    context = providers.collect("page")
    assert "report" in context
    assert repr(context) == "Context({'first': True, 'report': 'later'})"
    assert calls == []
    assert (context["report"], context["report"]) == (1, 1)
    assert calls == ["page"]
    assert providers.collect("other")["report"] == 2


def test_what_is_later_twice_is_the_same_at_every_reading() -> None:
    context = ContextProviders(lambda _: {"count": Later(lambda: Later(lambda: 5))}).collect(None)
    assert (context["count"], context["count"]) == (5, 5)


def test_an_error_of_a_provider_or_of_a_later_value_passes_through() -> None:
    def failing(subject: Any) -> dict[str, Any]:
        raise OSError("no disk")

    def failing_later(subject: Any) -> dict[str, Any]:
        return {"disk": Later(lambda: failing(subject))}

    with pytest.raises(OSError, match="no disk"):
        ContextProviders(failing).collect(None)
    context = ContextProviders(failing_later).collect(None)
    with pytest.raises(OSError, match="no disk"):
        context["disk"]


@pytest.mark.parametrize(
    "given", [None, 1, "text", [("a", 1)], {1: "a"}, {None: 1}, {("a",): 1}], ids=repr
)
def test_what_is_no_context_is_refused_by_name(given: Any) -> None:
    def wrong(subject: Any) -> Any:
        return given

    with pytest.raises(MalformedContext, match="'wrong' gave"):
        ContextProviders(wrong).collect(None)


@pytest.mark.parametrize("given", [None, 1, "first", {"first": 1}], ids=repr)
def test_what_cannot_be_called_is_refused_at_once(given: Any) -> None:
    with pytest.raises(TypeError, match="cannot be"):
        ContextProviders(first, given)


def test_two_of_one_name_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="two providers are called 'first'"):
        ContextProviders(first).with_(first)


@given(st.dictionaries(st.text(), st.integers() | st.none() | st.text()))
def test_any_text_is_a_key_and_any_value_is_kept(values: dict[str, Any]) -> None:
    def provider(subject: Any) -> dict[str, Any]:
        return values

    assert dict(ContextProviders(provider).collect(None)) == values
