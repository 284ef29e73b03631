"""Which modules hold a function under any name: there are thousands, and each search asks anew.

A module of a library holds a function under the same names ever after, as long as it has as many
names; any other is looked through each time, for a learner may give a name another value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, KeysView
from functools import cache
from importlib.metadata import Distribution, distributions
from types import ModuleType
from typing import Any, NamedTuple

Names = dict[str, Any]

_STANDARD = sys.stdlib_module_names - {"__main__"}
_OURS = ("raceproof", "workshop")


class _Module(NamedTuple):
    itself: Any  # while it is kept, its id is its own
    names: Names
    size: int
    held: list[str] | None  # None: look each time


class Holders:
    """The modules that hold one of some functions, which are given by their ids."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Look through all modules again: there are more functions, or some are replaced."""
        self._known: dict[int, _Module] = {}
        self._ids: list[int] = []  # of all modules, when they were last gone through
        self._libraries: list[Names] = []
        self._sizes: list[int] = []
        self._in_libraries: list[tuple[Names, list[str]]] = []
        self._others: list[Names] = []

    def of(self, functions: KeysView[int]) -> Iterator[tuple[Names, list[str]]]:
        """Yield the names of each module that holds one, and those under which it does."""
        modules = list(sys.modules.values())
        if list(map(id, modules)) != self._ids or list(map(len, self._libraries)) != self._sizes:
            self._go_through(modules, functions)
        yield from self._in_libraries
        for names in self._others:
            if not functions.isdisjoint(map(id, names.values())):
                yield names, _held(names, functions)

    def _go_through(self, modules: list[Any], functions: KeysView[int]) -> None:
        found = []
        for module in modules:
            known = self._known.get(id(module))
            if known is None or len(known.names) != known.size:
                known = _look_through(module, functions)
            found.append(known)
        self._ids = list(map(id, modules))
        self._known = dict(zip(self._ids, found, strict=True))
        self._libraries = [module.names for module in found if module.held is not None]
        self._sizes = [module.size for module in found if module.held is not None]
        self._in_libraries = [(module.names, module.held) for module in found if module.held]
        self._others = [module.names for module in found if module.held is None]


def _look_through(module: Any, functions: KeysView[int]) -> _Module:
    names: Names = {}
    # not isinstance: what cffi puts among the modules says that it is one
    if issubclass(type(module), ModuleType) and not module.__name__.startswith(__package__):
        names = object.__getattribute__(module, "__dict__")
    trusted = not names or is_of_a_library(names) or _top(names) in _OURS
    return _Module(module, names, len(names), _held(names, functions) if trusted else None)


def _held(names: Names, functions: KeysView[int]) -> list[str]:
    return [name for name, value in list(names.items()) if id(value) in functions]


def is_of_a_library(names: Names) -> bool:
    """Return whether these are the names of a module that no learner writes."""
    where = str(names.get("__file__"))
    if "site-packages" in where or "dist-packages" in where:
        return _top(names) not in _from_a_folder_or_file()
    return _top(names) in _STANDARD


@cache
def _from_a_folder_or_file() -> frozenset[str]:
    """Return the installed packages that came from a place of this machine, as one's own do."""
    found = (one for one in distributions() if _came_from_here(one))
    return frozenset(file.parts[0].partition(".")[0] for one in found for file in one.files or ())


def _came_from_here(installed: Distribution) -> bool:
    """Read what an installer left, see PEP 610, of a folder or of sources in an archive.

    Wheels in files are as often those of libraries, and conda leaves this with what others built.
    """
    origin = installed.read_text("direct_url.json")
    if origin is None or str(installed.read_text("INSTALLER")).strip() == "conda":
        return False
    url = str(json.loads(origin).get("url"))
    return url.startswith("file:") and not url.endswith(".whl")


def is_a_learners(names: Names) -> bool:
    """Return whether these are the names of a module that is neither a library's nor ours."""
    ours = f"{names.get('__name__')}.".startswith(f"{__package__.partition('.')[0]}.")
    return not ours and not is_of_a_library(names)


def _top(names: Names) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
