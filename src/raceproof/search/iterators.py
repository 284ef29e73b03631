"""How far an iterator of Python is: what it gives next, it gives to one who asks."""

from __future__ import annotations

import gc
import warnings
from itertools import cycle
from types import GeneratorType
from typing import Any


def how_far(iterator: Any) -> list[Any]:
    """Return what changes as soon as somebody has asked for the next."""
    if isinstance(iterator, GeneratorType):
        frame = iterator.gi_frame
        return [] if frame is None else [frame.f_lasti, *frame.f_locals.values()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from Python 3.14 on, those of itertools tell nothing
            told = iterator.__reduce__()
    except (TypeError, AttributeError):
        if isinstance(iterator, cycle):
            return [object()]  # never the same: nobody can tell how far it is
        return [repr(iterator), *gc.get_referents(iterator)]
    return list(told)
