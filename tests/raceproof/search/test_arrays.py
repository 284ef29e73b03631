"""An array or a table that clients share is looked into, as a list is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.raceproof.toys import Memory as World
from tests.raceproof.toys import memory, nothing_to_check

from raceproof import Unsearchable, explore
from raceproof.search.arrays import contents_of_array
from raceproof.search.memory import Memory
from raceproof.search.spots import Spot, itself

TIMES = pd.date_range("2026-01-01", periods=2, tz="Europe/Berlin")


def _set(table: Any) -> None:
    table.loc[0, "n"] = 7


def _append(table: Any) -> None:
    table.loc[len(table)] = [7] * len(table.columns)


def _first(array: Any) -> None:
    array[0] = array[1]


def _unmask(array: Any) -> None:
    array.mask[1] = False


def _within(array: Any) -> None:
    array[0].append("d")


KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "array": (lambda: np.arange(3), _first),
    "array of objects": (lambda: np.array(["a", None, 3], dtype=object), _first),
    "array of lists": (lambda: np.array([["a"], ["b", "c"]], dtype=object), _within),
    "masked array": (lambda: np.ma.array([1, 2], mask=[False, True], fill_value=2), _unmask),
    "class of one's own": (lambda: np.arange(3).view(type("Mine", (np.ndarray,), {})), _first),
    "records": (lambda: np.rec.array([(1, "a"), (2, "b")]), _first),
    "categories": (lambda: pd.Categorical(["a", "b"]), _first),
    "index by itself": (lambda: pd.Index([1, 2]), lambda index: setattr(index, "name", "n")),
    "attributes of a table": (
        lambda: pd.DataFrame({"n": [1]}),
        lambda table: table.attrs.update(of="me"),
    ),
    "array in two dimensions": (lambda: np.arange(6).reshape(2, 3), _first),
    "series": (lambda: pd.Series([1, 2, 3]), _first),
    "series of texts": (lambda: pd.Series(["a", "b"]), _first),
    "series of times": (lambda: pd.Series(TIMES), _first),
    "name of a series": (lambda: pd.Series([1]), lambda series: setattr(series, "name", "n")),
    "table": (lambda: pd.DataFrame({"n": [1, 2], "of": ["a", "b"]}), _set),
    "row": (lambda: pd.DataFrame({"n": [1, 2]}), _append),
    "index": (lambda: pd.Series([1, 2]), lambda series: setattr(series, "index", [5, 6])),
    "index of a table": (
        lambda: pd.DataFrame({"n": [1, 2]}),
        lambda table: setattr(table, "index", [5, 6]),
    ),
    "columns": (lambda: pd.DataFrame({"n": [1]}), lambda table: setattr(table, "columns", ["m"])),
}


@pytest.mark.parametrize(("kind", "change"), KINDS.values(), ids=KINDS)
def test_what_a_client_changes_in_it_is_refused(
    kind: Callable[[], Any], change: Callable[[Any], None]
) -> None:
    shared = kind()

    def changes(world: World) -> None:
        change(shared)
        world.cells.write("x", 1)

    def looks(world: World) -> None:
        world.cells.write(str(shared), 1)

    with pytest.raises(Unsearchable, match="clients look at 'shared'"):
        explore(world=memory, clients={"a": changes, "b": looks}, check=nothing_to_check)


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS.values()], ids=KINDS)
def test_to_look_at_it_is_no_change(kind: Callable[[], Any]) -> None:
    shared = kind()

    def looks(world: World) -> None:
        world.cells.write(str(shared), len(shared))
        shared.copy()
        if isinstance(shared, pd.DataFrame):
            shared.groupby(shared.columns[0]).count()
            shared.sort_values(shared.columns[0]).reset_index().to_numpy()

    clients = {"a": looks, "b": looks}
    explore(world=memory, clients=clients, check=nothing_to_check).assert_holds()


READ: dict[str, Any] = {
    "two levels": pd.Series([1, 2], pd.MultiIndex.from_product([["a"], TIMES])),
    "columns of two levels": pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_product([["a"], TIMES])
    ),
    "a row called levels": pd.Series([1, 2], ["levels", "name"]),
    "intervals": pd.cut(pd.Series([1, 5, 9]), 3),
    "index of intervals": pd.Series([1, 2], pd.interval_range(0, 2)),
    "categories of times": pd.Series(TIMES).astype("category"),
    "whole numbers or none": pd.Series([1, None], dtype="Int64"),
    "times or none": pd.Series([TIMES[0], pd.NaT]),
    "texts": pd.Series(["a", None], dtype="string"),
    "no numbers": pd.Series([float("nan"), 1.0]),
    "nothing": pd.DataFrame(),
    "one number": np.array(7),
    "a date of numpy": np.array(["2026-01-01"], dtype="datetime64[D]"),
}


@pytest.mark.parametrize("shared", READ.values(), ids=READ)
def test_what_pandas_makes_anew_when_it_is_looked_at_is_no_change(shared: Any) -> None:
    def looks(world: World) -> None:
        world.cells.write(str(shared), 1)

    clients = {"a": looks, "b": looks}
    explore(world=memory, clients=clients, check=nothing_to_check).assert_holds()
    assert Memory([Spot("shared", partial(itself, shared))]).changed() is None


def test_what_is_of_neither_kind_is_not_looked_into() -> None:
    assert contents_of_array(np.random.default_rng(1)) is None
    assert contents_of_array(pd.Timestamp(0)) is None


def test_several_in_a_list_are_told_apart() -> None:
    shared = [np.zeros(size) for size in range(20)]
    assert Memory([Spot("shared", partial(itself, shared))]).changed() is None


@pytest.mark.parametrize("name", ["Series", "DataFrame", "Index", "ndarray", "ExtensionArray"])
def test_a_class_of_ones_own_may_have_such_a_name(name: str) -> None:
    shared = type(name, (), {"__module__": __name__})()
    kept = Memory([Spot("shared", partial(itself, shared))])
    assert kept.changed() is None
    shared.n = 1
    assert kept.changed() == "shared"


def test_a_large_one_counts_as_much() -> None:
    few, many = (contents_of_array(np.zeros(size)) or [] for size in (8, 51_200))
    assert (len(few), len(many)) == (2, 101)


def test_one_that_is_as_before_is_quickly_found_to_be() -> None:
    table = pd.DataFrame({"n": range(1000), "of": pd.Series(["a"] * 1000, dtype=object)})
    assert Memory([Spot("table", partial(itself, table))]).is_untouched()
