"""The exercises on super(): right answers pass, and nothing else does, however it tries."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import pytest

from patterns.mixins import ContextProviders, try_every_order
from workshop.exercises import attempt
from workshop.exercises.mro import (
    mark_combination,
    mark_initializers,
    mark_prediction,
)


class Listing:
    def get_context(self) -> dict[str, Any]:
        return {"items": 1}


class Sorted(Listing):
    def get_context(self) -> dict[str, Any]:
        return super().get_context() | {"sorted": 1}


class Filtered:
    def get_context(self) -> dict[str, Any]:
        return super().get_context() | {"filtered": 1}


BASES = [Filtered, Sorted, Listing]
NAMES = {cls.__name__: cls for cls in BASES}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "SECONDS", 0.3)


def truth(names: tuple[str, ...]) -> str:
    wanted = tuple(NAMES[name] for name in names)
    return next(o.kind for o in try_every_order(wanted, "get_context") if o.order == wanted)


class EqualToAll(str):
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def agrees(*args: Any) -> Any:
    return EqualToAll()


def ends_itself(*args: Any) -> Any:
    sys.exit("passed")


def never_ends(*args: Any) -> Any:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.001)


def says_nothing(*args: Any) -> Any:
    return None


def raises(*args: Any) -> Any:
    raise KeyError("oops")


def name_of(answer):
    """A test id that is the same in every process."""
    return getattr(answer, "__name__", type(answer).__name__)


BAD = [
    agrees,
    ends_itself,
    never_ends,
    says_nothing,
    raises,
    None,
    1,
    "complete",
    lambda: "complete",
]


def test_the_right_prediction_passes_and_one_wrong_order_fails() -> None:
    right = mark_prediction(truth, BASES, "get_context")
    assert str(right) == "✓ Right for all 15 orders of all subsets."
    orders = [("Filtered",), ("Sorted", "Filtered"), ("Listing", "Filtered", "Sorted")]
    for wrong in orders:
        verdict = mark_prediction(
            lambda names, wrong=wrong: "complete" if names == wrong else truth(names),
            BASES,
            "get_context",
        )
        assert not verdict.passed
        assert f"class C({', '.join(wrong)})" in verdict.sentence
    assert "no MRO" in str(verdict.shown)


@pytest.mark.parametrize("bad", BAD, ids=name_of)
def test_no_other_prediction_passes(bad: Any, impatient: None) -> None:
    verdict = mark_prediction(bad, BASES, "get_context")
    assert not verdict.passed
    assert "Traceback" not in str(verdict)


class Good:
    class Titled:
        def __init__(self, *, title: str, **rest: Any) -> None:
            super().__init__(**rest)
            self.title = title

    class Dated:
        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(**rest)
            self.date = date


TAKES = {"Titled": "title", "Dated": "date"}


def dated(init: Any) -> type:
    return type("Dated", (), {"__init__": init})


def test_the_repaired_classes_pass_in_every_order() -> None:
    verdict = mark_initializers([Good.Titled, Good.Dated], TAKES)
    assert str(verdict) == "✓ All 4 orders of all subsets keep every argument."
    assert "<strong>✓" in verdict._repr_html_()


def test_an_argument_may_be_kept_in_any_way() -> None:
    class Dated:
        __slots__ = ("_date",)

        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(**rest)
            self._date = date

        @property
        def date(self) -> str:
            return self._date

    assert mark_initializers([Good.Titled, Dated], TAKES).passed


def test_an_attribute_of_the_class_keeps_nothing() -> None:
    class Dated:
        date = "the date"

        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(**rest)
            type(self).date = date

    verdict = mark_initializers([Good.Titled, Dated], TAKES)
    assert "loses date." in verdict.sentence


def forgets_super(self: Any, *, date: str, **rest: Any) -> None:
    self.date = date


def swallows(self: Any, *, date: str = "", **rest: Any) -> None:
    self.__dict__.update(rest, date=date)


def positional(self: Any, date: str) -> None:
    self.date = date


def only_object(self: Any, *, date: str, **rest: Any) -> None:
    object.__init__(self)
    self.date = date


@pytest.mark.parametrize(
    "init",
    [forgets_super, swallows, positional, only_object, *BAD[:5]],
    ids=lambda init: init.__name__,
)
def test_no_other_initializer_passes(init: Any, impatient: None) -> None:
    verdict = mark_initializers([Good.Titled, dated(init)], TAKES)
    assert not verdict.passed
    assert "Traceback" not in str(verdict)


class Subtle:
    class KnowsTheOthers:
        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(**{key: rest[key] for key in rest if key == "title"})
            self.date = date

    class HasADefault:
        def __init__(self, *, date: str = "the date", **rest: Any) -> None:
            super().__init__(**rest)
            self.date = date


@pytest.mark.parametrize("wrong", [Subtle.KnowsTheOthers, Subtle.HasADefault])
def test_unknown_and_missing_arguments_must_be_errors(wrong: type) -> None:
    named = type("Dated", (wrong,), {})
    verdict = mark_initializers([Good.Titled, named], TAKES)
    assert not verdict.passed
    assert "typo" in verdict.sentence or "made without date" in verdict.sentence


def test_a_class_that_passes_on_what_it_keeps_is_shown() -> None:
    class Dated:
        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(date=date, **rest)  # type: ignore[call-arg]
            self.date = date

    verdict = mark_initializers([Good.Titled, Dated], TAKES)
    assert "object.__init__() takes exactly one argument" in str(verdict)


@pytest.mark.parametrize("handed", [None, [], [Good.Titled], [1, 2], Good.Titled], ids=name_of)
def test_what_is_no_list_of_the_classes_is_refused(handed: Any) -> None:
    assert mark_initializers(handed, TAKES).sentence.startswith("Hand in")


def test_providers_pass_the_last_exercise() -> None:
    def combine(halves: list[type]) -> Any:
        def provider(half: Any) -> Any:
            def give(subject: Any) -> Any:
                return half().get_context()

            give.__name__ = half.__name__
            return give

        return ContextProviders(*map(provider, halves)).collect(None)

    assert str(mark_combination(combine)).startswith("✓ All 39 orders")


def by_inheritance(halves: list[type]) -> Any:
    return type("Both", tuple(halves), {})().get_context()


def last_wins(halves: list[type]) -> Any:
    return {key: value for half in halves for key, value in half().get_context().items()}


def wrong_values(halves: list[type]) -> Any:
    keys = [key for half in halves for key in half().get_context()]
    if len(set(keys)) < len(keys):
        raise ValueError(keys)
    return dict.fromkeys(keys, 1)


def one_value(halves: list[type]) -> Any:
    """The keys are asked for, and what belongs to them is guessed."""
    return dict.fromkeys(wrong_values(halves), True)


def by_name(halves: list[type]) -> Any:
    return {"base of Half0": True, "key 0": True} if len(halves) == 1 else {}


@pytest.mark.parametrize(
    "combine", [by_inheritance, last_wins, wrong_values, one_value, by_name, *BAD], ids=name_of
)
def test_no_other_combination_passes(combine: Any, impatient: None) -> None:
    verdict = mark_combination(combine)
    assert not verdict.passed
    assert "Traceback" not in str(verdict)


def test_a_dropped_half_is_shown() -> None:
    assert str(mark_combination(by_inheritance)).splitlines() == [
        "✗ Not yet: combine([Half0, Half1]) gives the keys ['base of Half0', 'key 0'].",
        "",
        "half  | its key       | arrived",
        "------+---------------+--------",
        "Half0 | base of Half0 | yes",
        "Half0 | key 0         | yes",
        "Half1 | base of Half1 | no",
        "Half1 | key 1         | no",
    ]


def test_an_endless_answer_ends_with_an_explanation(impatient: None) -> None:
    verdict = mark_prediction(never_ends, BASES, "get_context")
    assert "does not end: given up after 0.3 seconds" in verdict.sentence


def test_a_class_that_never_ends_is_not_made_once_more_to_show_it(impatient: None) -> None:
    made = []

    class Signed:
        def __init__(self, author: str) -> None:
            made.append(author)
            while True:
                pass

    verdict = mark_initializers([Signed], {"Signed": "author"})
    assert verdict.sentence.startswith("Not yet: class C(Signed) with author does not end: given")
    assert len(made) == 1
    assert verdict.shown is None
