"""What a test has put in the place of a function of Python: it stays, and says what it was told."""

from __future__ import annotations

import random
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodWrapperType
from typing import Any

from raceproof.search.contents import CONTAINERS, is_a_learners_class
from raceproof.search.held_in_modules import is_a_learners
from raceproof.search.mocks import is_mock


def is_put_there(value: Any) -> bool:
    """Return whether this is none of the functions that Python or a library has there."""
    if is_mock(value) or isinstance(value, partial | MethodWrapperType):
        return True
    inner = getattr(value, "__func__", value)  # of a method
    owner = getattr(value, "__self__", None)
    if isinstance(owner, random.Random):
        return owner is not random._inst
    if isinstance(inner, FunctionType):
        return is_a_learners(inner.__globals__)
    if isinstance(value, BuiltinFunctionType):
        return isinstance(owner, CONTAINERS)
    return is_a_learners_class(type(value))
