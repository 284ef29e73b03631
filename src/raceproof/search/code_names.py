"""What some code names, and what it does with it: read from its instructions."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate, chain
from types import CodeType, ModuleType
from typing import Any

_PYTESTS = ("_saferepr", "_should_repr_global_name")  # of an assertion that failed
_ADDING = ("add", "append", "appendleft", "extend", "insert", "update")  # and tell nothing


@lru_cache(4096)
def only_by_name(code: CodeType) -> bool:
    """Whether all that some code does with its first argument is to look up what it names."""
    first = {*code.co_varnames[:1]}
    steps = [step for step in dis.get_instructions(code) if step.opname != "PUSH_NULL"]
    return not first & {*code.co_cellvars} and all(
        (after.opname in ("LOAD_ATTR", "LOAD_METHOD") and not first & {*_all_but_last(step.argval)})
        or before.argval in _PYTESTS
        for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
        if "FAST" in step.opname and first & {*_each(step.argval)}
    )


def _each(names: Any) -> tuple[Any, ...]:
    return names if isinstance(names, tuple) else (names,)


def _all_but_last(names: Any) -> tuple[Any, ...]:
    """Of two names that one instruction loads, what follows looks at the last."""
    return _each(names)[:-1]


@lru_cache(4096)
def named(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the globals that some code names, to read or to set, and the modules it imports."""
    steps = [step for one in _codes(code) for step in dis.get_instructions(one)]
    names = (s.argval for s in steps if "GLOBAL" in s.opname or s.opname == "LOAD_NAME")
    modules = (step.argval for step in steps if step.opname == "IMPORT_NAME")
    return frozenset(names), frozenset(modules)


@lru_cache(4096)
def all_names(code: CodeType) -> frozenset[str]:
    """Return the globals and attributes that some code names."""
    return frozenset(chain.from_iterable(one.co_names for one in _codes(code)))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for within in code.co_consts:
        if isinstance(within, CodeType):
            yield from _codes(within)


@lru_cache(4096)
def read(code: CodeType) -> frozenset[str]:
    """Return the names whose value some code may read, and not only add something to.

    `seen.append(x)` and `seen[key] = x` tell nobody what is there.
    """
    names = set()
    for one in _codes(code):
        steps = [step for step in dis.get_instructions(one) if step.opname != "PUSH_NULL"]
        for at, step in enumerate(steps):
            after = [(step.opname, step.argval) for step in steps[at + 1 : at + 3]]
            adds = after and after[0][1] in _ADDING and after[0][0] in ("LOAD_ATTR", "LOAD_METHOD")
            sets = [opname for opname, _ in after[1:]] == ["STORE_SUBSCR"]
            if "LOAD" in step.opname and step.opname != "LOAD_CLOSURE" and not (adds or sets):
                names |= {*_each(step.argval)}
    return frozenset(name for name in names if isinstance(name, str))


def imported(names: Iterable[str], there: Mapping[str, Any]) -> list[ModuleType]:
    """Return the modules that an import in a function may mean, from here or from a package."""
    package = str(there.get("__package__") or "")
    places = ["", *accumulate(package.split("."), "{}.{}".format)]
    found = (sys.modules.get(f"{place}.{name}".strip(".")) for name in names for place in places)
    return [module for module in found if isinstance(module, ModuleType)]
