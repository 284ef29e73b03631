"""What is in an array of NumPy, or in a series or table of pandas: neither is imported here."""

from __future__ import annotations

from typing import Any

_AT_ONCE = 64  # bytes that count as one thing


def contents_of_array(value: Any) -> list[Any] | None:
    """Return what is in an array, a series or a table, None if this is none."""
    kind = type(value).__name__
    if kind == "ndarray":
        return _of_array(value)
    if kind == "Series":
        return [value.name, *_of_column(value.index), *_of_column(value)]
    if kind == "DataFrame":
        columns = [of for _, column in value.items() for of in _of_column(column)]
        return [*_of_column(value.columns), *_of_column(value.index), *columns]
    return None


def _of_array(array: Any) -> list[Any]:
    if array.dtype.hasobject:
        return [array.shape, *array.flat]
    data = array.tobytes()
    return [array.shape, *(data[at : at + _AT_ONCE] for at in range(0, len(data), _AT_ONCE))]


def _of_column(column: Any) -> list[Any]:
    """Return what a column holds; of times with a zone, the numbers that pandas keeps."""
    numbers = getattr(column.array, "asi8", None)
    return _of_array(column.to_numpy() if numbers is None else numbers)
