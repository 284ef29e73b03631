"""The family with a guarded base, and every order and subset of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import factorial
from typing import Any

import pytest

from patterns.mixins import BrokenRule, CooperativeContext, every_subset, try_every_order
from patterns.mixins.orders import OrderResult, Orders


def mixin(key: str, *bases: type) -> type:
    class Made(*bases):  # type: ignore[misc]
        def get_context(self) -> dict[str, Any]:
            return {**super().get_context(), key: True}

    Made.__name__ = Made.__qualname__ = key
    return Made


class Base:
    def get_context(self) -> dict[str, Any]:
        return {"base": True}


def test_the_subsets_of_three_small_ones_first() -> None:
    a, b, c = (mixin(name) for name in "abc")
    two = [(a, b), (a, c), (b, c)]
    assert list(every_subset([a, b, c])) == [(), (a,), (b,), (c,), *two, (a, b, c)]
    assert list(every_subset([a, b, c], 2)) == [*two, (a, b, c)]


def test_with_the_base_last_every_order_of_every_subset_is_complete() -> None:
    mixins = [mixin(name) for name in "abcde"]
    for subset in every_subset(mixins):
        tried = try_every_order(subset, "get_context", last=Base)
        assert tried.counts == {"complete": factorial(len(subset))}
        keys = {cls.__name__ for cls in subset} | {"base"}
        assert all(set(outcome.value) == keys for outcome in tried)  # type: ignore[call-overload]


def test_the_base_elsewhere_drops_those_behind_it() -> None:
    mixins = [mixin(name) for name in "ab"]
    tried = try_every_order([*mixins, Base], "get_context")
    assert tried.counts == {"complete": 2, "dropped": 4}
    assert str(tried).splitlines()[:3] == [
        "6 orders: 2 complete, 4 dropped",
        "  (a, b, Base): complete",
        "  (a, Base, b): dropped b",
    ]
    assert not tried.holds


def test_the_family_has_no_order_that_loses_a_key() -> None:
    family = [mixin(name, CooperativeContext) for name in "abcde"]
    for subset in every_subset(family, 1):
        tried = try_every_order([*subset, CooperativeContext], "get_context")
        complete = factorial(len(subset))
        assert tried.counts == {
            "complete": complete,
            "no MRO": factorial(len(subset) + 1) - complete,
        }
        assert tried.holds


def test_the_left_one_of_two_that_write_a_key_wins() -> None:
    class Left(CooperativeContext):
        def get_context(self) -> dict[str, Any]:
            return super().get_context() | {"title": "left"}

    class Right(CooperativeContext):
        def get_context(self) -> dict[str, Any]:
            return super().get_context() | {"title": "right"}

    class Page(Left, Right): ...

    assert Page().get_context() == {"title": "left"}


def test_a_mixin_without_super_is_refused_when_it_is_defined() -> None:
    with pytest.raises(BrokenRule, match="Silent breaks rule 1") as caught:

        class Silent(CooperativeContext):
            def get_context(self) -> dict[str, Any]:
                return {"silent": True}

    assert [finding.rule for finding in caught.value.findings] == [1]


def test_a_stranger_is_refused_in_every_order() -> None:
    family = [mixin(name, CooperativeContext) for name in "ab"]
    tried = try_every_order([*family, Base], "get_context")
    assert tried.counts == {"refused": 6}
    assert "let Base inherit from it" in tried.outcomes[0].detail


def test_a_branch_or_a_helper_is_not_refused() -> None:
    class Branching(CooperativeContext):
        logged_in = True

        def get_context(self) -> dict[str, Any]:
            if self.logged_in:
                return super().get_context() | {"user": "ada"}
            return super().get_context()

    class Helped(CooperativeContext):
        def rest(self) -> dict[str, Any]:
            return super().get_context()

        def get_context(self) -> dict[str, Any]:
            return self.rest() | {"helped": True}

    class Inherits(Helped):
        def get_context(self) -> dict[str, Any]:
            return self.rest() | {"inherits": True}

    class Page(Helped, Branching): ...

    assert Page().get_context() == {"helped": True, "user": "ada"}
    assert Inherits().get_context() == {"inherits": True}


def test_arguments_of_other_init_subclass_pass_through() -> None:
    class Registered:
        registry: list[str] = []  # noqa: RUF012

        def __init_subclass__(cls, name: str = "", **rest: object) -> None:
            super().__init_subclass__(**rest)
            cls.registry.append(name)

    class Page(CooperativeContext, Registered, name="page"): ...

    assert Page.registry == ["page"]


def test_orders_that_raise_when_called_and_when_made() -> None:
    class Broken:
        def get_context(self) -> dict[str, Any]:
            raise LookupError("no user")

    class Meta(type): ...

    tried = try_every_order([Broken, Base], "get_context")
    assert [outcome.kind for outcome in tried] == ["raised", "dropped"]
    assert tried.outcomes[0].detail == "LookupError: no user"
    other = type("OtherMeta", (type,), {})("Other", (), {})
    clash = try_every_order([Meta("Strange", (Base,), {}), other], "get_context")
    assert clash.counts == {"refused": 2}
    assert len(clash) == 2


def test_an_order_whose_call_was_not_seen_is_neither_complete_nor_dropped() -> None:
    def in_another_thread(cls: Any) -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(cls().get_context).result()

    asked: list[type] = []

    def half(cls: Any) -> object:
        asked.append(cls)
        return in_another_thread(cls) if len(asked) == 1 else cls().get_context()

    a, b = (mixin(name) for name in "ab")
    tried = try_every_order([a, b], "get_context", last=Base, run=in_another_thread)
    assert tried.counts == {"not seen": 2}
    assert str(tried).splitlines()[1] == "  (a, b, Base): not seen"
    tried = try_every_order([a, b], "get_context", last=Base, run=half)
    assert tried.counts == {"complete": 1, "not seen": 1}
    assert not tried.holds
    assert tried.outcomes[0].value == {"base": True, "b": True, "a": True}


def test_object_is_the_silent_base_of_its_own_methods() -> None:
    class Tagged:
        def __init__(self, *, tag: str, **rest: Any) -> None:
            super().__init__(**rest)
            self.tag = tag

    class Dated:
        def __init__(self, *, date: str, **rest: Any) -> None:
            super().__init__(**rest)
            self.date = date

    tried = try_every_order([Tagged, Dated], "__init__", run=lambda cls: cls(tag="", date=""))
    assert tried.counts == {"complete": 2}


def test_the_text_shows_every_order_of_four_classes_and_24_of_five() -> None:
    for orders in (24, 120):
        shown = str(Orders("get_context", (OrderResult((Base,), "complete"),) * orders))
        assert (
            shown.splitlines()
            == [f"{orders} orders: {orders} complete"] + ["  (Base): complete"] * 24
        )
