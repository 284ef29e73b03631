"""What is in an array of NumPy, or in a table of pandas: neither is imported here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_AT_ONCE = 4096  # bytes that count as one thing


def is_of_an_array(kind: type) -> bool:
    """Return whether NumPy or pandas made a class."""
    return kind.__module__.partition(".")[0] in ("numpy", "pandas")


def contents_of_array(value: Any) -> list[Any] | None:
    """Return what is in an array, an index, a series or a table, None if this is none."""
    kinds = {kind.__name__ for kind in type(value).__mro__ if is_of_an_array(kind)}
    if "ndarray" in kinds:
        mask = [*_of_array(value.mask)] if "MaskedArray" in kinds else []
        return [*_of_array(value), *mask]
    if "DataFrame" in kinds:
        parts = [value.columns, value.index, *(column for _, column in value.items())]
        return [value.attrs, *(of for part in parts for of in _of_column(part))]
    if "Series" in kinds:
        return [value.attrs, *_of_column(value.index), *_of_column(value)]
    if "Index" in kinds:
        return list(_of_column(value))
    return _plain(list(value)) if "ExtensionArray" in kinds else None


def _of_column(column: Any) -> Iterator[Any]:
    """Yield the name and what a series or an index holds."""
    if type(column).__name__ == "MultiIndex":  # a series may have a row called `levels`
        for level in range(column.nlevels):
            yield from _of_column(column.get_level_values(level))
        return
    yield from _plain([column.name])
    numbers = getattr(column.array, "asi8", None)  # of times with a zone, what pandas keeps
    yield from _of_array(column.to_numpy() if numbers is None else numbers)


def _of_array(array: Any) -> Iterator[Any]:
    yield from array.shape
    if array.dtype.hasobject:
        yield from _plain(list(array.flat))
    else:
        data = array.tobytes()
        yield from (hash(data[at : at + _AT_ONCE]) for at in range(0, len(data), _AT_ONCE))


def _plain(values: list[Any]) -> list[Any]:
    """Return values, as texts where pandas makes one anew whenever somebody looks at it."""
    made_anew = {kind for kind in {*map(type, values)} if _is_made_anew(kind)}
    if not made_anew:
        return values
    return [repr(value) if type(value) in made_anew else value for value in values]


def _is_made_anew(kind: type) -> bool:
    return kind is tuple or is_of_an_array(kind)
