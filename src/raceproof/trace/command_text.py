"""Calls and replies in the words that `redis-cli` would use, kept short."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[\w.:/#*{}$<>=+@|-]+")


def command_text(args: Iterable[object]) -> str:
    """Return a Redis command as it would be typed: `LPUSH jobs "two words"`."""
    return " ".join(_argument(arg) for arg in args)


def reply_text(value: object) -> str:
    """Return a reply as `redis-cli` shows it: `(integer) 2`, `"hello"`, `(nil)`, `OK`."""
    if value is True:
        return "OK"
    if value is None:
        return "(nil)"
    if isinstance(value, int):
        return f"(integer) {int(value)}"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return literal(value)


def literal(value: object) -> str:
    """Return a value inside a reply: strings quoted, bytes as strings, the rest as it is."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(literal(item) for item in value)) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return str(value)


def shorten(text: str, width: int) -> str:
    """Return the text on one line, cut to `width` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _argument(arg: object) -> str:
    if isinstance(arg, bytes):
        arg = arg.decode("utf-8", "backslashreplace")
    text = str(arg)
    return text if _PLAIN.fullmatch(text) else literal(text)
