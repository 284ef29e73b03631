"""Code that is not in the client's own module, and functions that stand under another name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import Unsearchable, explore
from raceproof.search import held_in_modules
from raceproof.search.held_in_modules import is_a_learners

STOCK = """
import shop

taken = []

def take(world):
    world.cells.write("y" if taken else "x", 1)
    taken.append("one")
"""
CLIENTS = """
import shop.stock
import shop

def by_its_path(world):
    shop.stock.take(world)

def imported_inside(world):
    import shop.stock
    shop.stock.take(world)

def imported_as(world):
    import shop.stock as there
    there.take(world)

def from_the_package(world):
    from shop import stock
    stock.take(world)

def from_here(world):
    from . import stock
    stock.take(world)

def from_beside(world):
    from .stock import take
    take(world)
"""
NAMES = (
    "by_its_path",
    "imported_inside",
    "imported_as",
    "from_the_package",
    "from_here",
    "from_beside",
)


def act(world: Memory) -> None:
    world.cells.write("x", 1)


def act_otherwise(world: Memory) -> None:
    world.cells.write("y", 1)


acts = act
settings = ModuleType("settings")
settings.acts = act  # type: ignore[attr-defined]


class Handlers:
    acts: Callable[[Any], None] = staticmethod(act)


def search(*clients: Callable[[Any], object]) -> None:
    named = {f"client {n}": client for n, client in enumerate(clients)}
    explore(world=memory, clients=named, check=nothing_to_check).assert_holds()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package with state in a module of its own, and clients in another."""
    folder = tmp_path / "one" / "shop"
    folder.mkdir(parents=True)
    for name, source in {"__init__": "", "stock": STOCK, "clients": CLIENTS}.items():
        (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder.parent))
    import shop.clients  # type: ignore[import-not-found]

    yield shop.clients
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_module_keeps_that_is_reached_through_others(shop: Any, name: str) -> None:
    client = getattr(shop, name)
    with pytest.raises(Unsearchable, match=r"clients look at '.*taken'"):
        search(client, client)


def test_what_a_client_lets_a_name_stand_for() -> None:
    def lets(world: Memory) -> None:
        global acts
        acts = act_otherwise
        world.cells.write("let", 1)

    def calls(world: Memory) -> None:
        acts(world)

    with pytest.raises(Unsearchable, match="clients look at 'acts'"):
        search(lets, calls)
    assert acts is act


class Acts:
    def once(self, world: Memory) -> None:
        act(world)

    def again(self, world: Memory) -> None:
        act_otherwise(world)


def act_on(name: str, world: Memory) -> None:
    world.cells.write(name, 1)


class Takes:
    def __init__(self, name: str) -> None:
        self.name = name

    def one(self, world: Memory) -> None:
        act_on(self.name, world)


def made_for(name: str) -> Callable[[Memory], None]:
    return lambda world: act_on(name, world)


PAIRS: dict[str, tuple[Any, Any]] = {
    "functions": (act, act_otherwise),
    "methods": (Acts().once, Acts().again),
    "methods of two objects": (Takes("x").one, Takes("y").one),
    "functions of one maker": (made_for("x"), made_for("y")),
    "partials": (partial(act), partial(act_otherwise)),
    "arguments of partials": (partial(act_on, "x"), partial(act_on, "y")),
    "names of arguments": (partial(act_on, name="x"), partial(act_on, name="y")),
    "functions of Python": (max, min),
    "classes": (int, str),
    "classes within others": (Acts, held_in_modules.Holders),
    "modules": (sys, held_in_modules),
    "a class and a function": (int, act),
}


@pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=PAIRS)
def test_what_stands_under_a_name_is_told_apart(before: Any, after: Any) -> None:
    stands = before

    def lets(world: Memory) -> None:
        nonlocal stands
        stands = after
        world.cells.write("let", 1)

    with pytest.raises(Unsearchable, match="clients look at 'stands'"):
        search(lets, lambda world: world.cells.write(str(stands), 1))
    assert stands is before


def test_what_a_world_makes_anew_under_a_name_is_the_same() -> None:
    made: dict[str, Any] = {}

    def world() -> Memory:
        acts = Acts()
        made.update(
            method=acts.once,
            part=partial(act_on, "x", acts),
            function=lambda world: acts.once(world),
            kind=type("Made", (), {}),
            tells=[].append,
        )
        return memory()

    def client(world: Memory) -> None:
        made["method"](world)

    world()
    clients = {"a": client, "b": client}
    explore(world=world, clients=clients, check=nothing_to_check).assert_holds()


def test_what_a_client_puts_into_a_module() -> None:
    def puts(world: Memory) -> None:
        settings.acts = act_otherwise  # type: ignore[attr-defined]
        world.cells.write("let", 1)

    with pytest.raises(Unsearchable, match=r"clients look at 'settings\.acts'"):
        search(puts, lambda world: settings.acts(world))
    assert settings.acts is act


def test_what_a_client_puts_into_a_class() -> None:
    def puts(world: Memory) -> None:
        Handlers.acts = act_otherwise
        world.cells.write("let", 1)

    with pytest.raises(Unsearchable, match=r"clients look at 'Handlers\.acts'"):
        search(puts, lambda world: Handlers.acts(world))


def test_what_a_client_puts_into_a_variable_of_who_made_it() -> None:
    does = act

    def puts(world: Memory) -> None:
        nonlocal does
        does = act_otherwise
        world.cells.write("let", 1)

    with pytest.raises(Unsearchable, match="clients look at 'does'"):
        search(puts, lambda world: does(world))
    assert does is act


@pytest.mark.parametrize(
    ("origin", "installer", "own"),
    [
        ('{"url": "file:///home/me/shop", "dir_info": {}}', "pip", True),
        ('{"url": "file:///home/me/shop-1.tar.gz", "archive_info": {}}', None, True),
        ('{"url": "file:///wheels/shop.whl", "archive_info": {}}', "pip", False),
        ('{"url": "https://example.org/shop.whl", "archive_info": {}}', "pip", False),
        ('{"url": "file:///build/work/shop", "dir_info": {}}', "conda\n", False),
        (None, "pip", False),
    ],
)
def test_a_package_that_was_installed_from_a_folder_is_ones_own(
    origin: str | None,
    installer: str | None,
    own: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = tmp_path / "lib" / "site-packages"
    (site / "shop").mkdir(parents=True)
    (site / "shop" / "__init__.py").write_text("")
    left = site / "shop-1.0.dist-info"
    left.mkdir()
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (site / "stock.py").write_text("")
    files = ("shop/__init__.py", "stock.py", "shop-1.0.dist-info/METADATA")
    (left / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    for name, text in {"direct_url.json": origin, "INSTALLER": installer}.items():
        if text is not None:
            (left / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    held_in_modules._from_a_folder_or_file.cache_clear()
    try:
        for name in ("shop", "shop.stock", "stock"):
            names = {"__name__": name, "__file__": str(site / "shop" / "__init__.py")}
            assert is_a_learners(names) is own
        other = {"__name__": "redis", "__file__": str(site / "redis.py")}
        assert not is_a_learners(other)
    finally:
        held_in_modules._from_a_folder_or_file.cache_clear()
