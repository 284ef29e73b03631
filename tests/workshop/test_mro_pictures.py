"""The class diagram and the grid of orders: what they say, and that nothing overlaps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from patterns.mixins import CooperativeContext, Orders, mro_table, try_every_order
from patterns.mixins.orders import KINDS, OrderResult
from workshop import mro_pictures as pictures
from workshop.mro_pictures.class_diagram import BOX, _beside, _places, _wide
from workshop.mro_pictures.orders_grid import KINDS as SIGNS


class Ends:
    def get_context(self) -> dict[str, Any]:
        return {"ends": 1}


class Calls:
    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "calls": 1}


class AlsoCalls:
    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "also": 1}


class Child(Ends):
    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "child": 1}


class Family(CooperativeContext):
    def get_context(self) -> dict[str, Any]:
        return super().get_context() | {"family": 1}


def table(*bases: type) -> Any:
    return mro_table(type("Concrete", bases, {}), "get_context")


SHAPES = {
    "dropped": (Child, Calls),
    "raised": (Calls, AlsoCalls),
    "complete": (Calls, AlsoCalls, Ends),
    "family": (Family, type("Sibling", (CooperativeContext,), {})),
    "two halves": (type("Left", (Calls, Ends), {}), type("Right", (AlsoCalls, Child), {})),
}


def test_the_words_say_where_the_call_goes_and_where_it_stops() -> None:
    words = pictures.class_diagram(table(Child, Calls), title="Calls is left out").alt
    assert words == (
        "Calls is left out. Class diagram in MRO order: Concrete, Child, Ends, Calls, object. "
        "The call goes to Child, then Ends. It stops at Ends; never asked: Calls."
    )
    raised = pictures.class_diagram(table(Calls), title="No class is next").alt
    assert "At Calls it raises AttributeError: 'super' object has no attribute" in raised
    fine = pictures.class_diagram(table(Calls, Ends), title="All are asked").alt
    assert fine.endswith("The call goes to Calls, then Ends.")


@pytest.mark.parametrize("shape", SHAPES)
def test_no_two_classes_overlap_and_bases_stand_above(shape: str) -> None:
    cls = type("Concrete", SHAPES[shape], {})
    places = _places(list(cls.__mro__))
    for one, two in itertools.combinations(places.values(), 2):
        beside = _wide(_beside(one[1], places))
        assert abs(one[0] - two[0]) >= beside + 0.1 or abs(one[1] - two[1]) >= BOX + 0.1
    for owner, (_, y) in places.items():
        assert all(places[base][1] < y for base in owner.__bases__ if base in places)


def test_the_same_bytes_twice() -> None:
    drawn = [pictures.class_diagram(table(*SHAPES["two halves"]), title="Twice") for _ in range(2)]
    assert drawn[0].png == drawn[1].png
    assert drawn[0].png.startswith(b"\x89PNG")


def grid(**rows: Orders) -> Any:
    return pictures.orders_grid(rows, title="Orders", names=["A", "B"], heads="who")


def test_the_grid_says_its_shares() -> None:
    mixed = try_every_order([Calls, Ends], "get_context")
    none = try_every_order([Calls, AlsoCalls], "get_context")
    words = grid(one=mixed, two=none).alt
    assert "one: 1 complete, 1 dropped. two: 2 raised." in words
    assert grid(one=mixed).png != grid(one=none).png


def test_the_grid_has_a_sign_for_every_outcome() -> None:
    assert tuple(SIGNS) == KINDS
    every = Orders("get_context", tuple(OrderResult((Ends, Calls), kind) for kind in KINDS))
    assert "1 not seen" in grid(one=every).alt


def test_the_table_marks_who_is_not_asked() -> None:
    text = str(pictures.chain(table(Child, Calls)))
    assert "Calls    | yes        | yes           | ✗ breaks: not asked | -" in text
    assert "raised AttributeError" in str(pictures.chain(table(Calls)))
