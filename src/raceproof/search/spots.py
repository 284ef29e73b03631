"""Places where code can look in Python's memory, and what is there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from functools import partial
from types import CellType, MemberDescriptorType
from typing import Any, NamedTuple

ABSENT: Any = object()


class Spot(NamedTuple):
    """The name of something, how to get what is there, and how to put something there.

    `reads`: whether the code that can look there may, and not only add something.
    """

    name: str
    get: partial[Any]
    put: Callable[[Any], object] | None = None
    reads: bool = True

    @property
    def place(self) -> tuple[object, ...]:
        """Which one it is: the same for all whose code can look there."""
        args = (arg if isinstance(arg, str) else id(arg) for arg in self.get.args)
        return (self.get.func, *args)


def held_by(owner: Any, name: str) -> Any:
    """Return what an object has under a name, without asking a property."""
    kept = inspect.getattr_static(owner, name, None)
    return getattr(owner, name) if isinstance(kept, MemberDescriptorType) else kept


def itself(value: Any) -> Any:
    """Return what is given: a value that no name leads to."""
    return value


def in_names(names: dict[str, Any], name: str) -> Any:
    """Return what a name stands for, ABSENT if for nothing."""
    return names.get(name, ABSENT)


def on_owner(owner: Any, name: str) -> Any:
    """Return the attribute of a class or module, ABSENT if it has none of its own."""
    return vars(owner).get(name, ABSENT)


def put_in(names: dict[str, Any], name: str, value: Any) -> None:
    """Let a name stand for a value again."""
    if value is ABSENT:
        names.pop(name, None)
    else:
        names[name] = value


def put_on(owner: Any, name: str, value: Any) -> None:
    """Give a class or module its attribute again; but nobody can set a member of an Enum."""
    if isinstance(value, Enum):
        return
    if value is ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def in_cell(cell: CellType) -> Any:
    """Return what is in a cell of a closure."""
    try:
        return cell.cell_contents
    except ValueError:  # empty so far
        return None
