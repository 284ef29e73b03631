"""Values told apart as a service would tell them apart: to Python, 1, 1.0 and True are equal."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def exact(value: Any) -> Hashable:
    """Return the value, with the type beside each bool and float in it."""
    kind = type(value)
    if kind is str or kind is bytes or kind is int or value is None:
        found: Hashable = value
        return found
    if kind is tuple:
        return tuple(map(exact, value))
    if kind is frozenset:
        return frozenset(map(exact, value))
    if kind is bool or kind is float:
        return kind, repr(value)
    hashable: Hashable = value
    return hashable


def inexact(value: Any) -> Any:
    """Return what `exact` was given."""
    if type(value) is not tuple:
        return value
    if len(value) == 2 and value[0] in (bool, float):
        return value[0](value[1]) if value[0] is float else value[1] == "True"
    return tuple(map(inexact, value))
