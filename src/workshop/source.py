"""Shows a helper's source from the package, so that what is read is what runs."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from html import escape
from typing import Any

# Said on both elements: JupyterLab wraps each, and breaks words in the middle where it wraps.
_UNBROKEN = "white-space: pre; word-break: normal; overflow-wrap: normal"
_PRE = (
    f' style="text-align: left; margin: 0.5em 0; overflow-x: auto; line-height: 1.35; {_UNBROKEN}"'
)
_CODE = f' style="{_UNBROKEN}"'
# Not <mark>: its text is black wherever a front end drops `color: inherit`, in the dark as well.
# <b>, not <span>: where a code host strips the style, the marked lines are bold.
_BAND = ' style="font-weight: normal; background: rgba(0, 114, 178, 0.22)"'


@dataclass(frozen=True)
class Source:
    """Lines of source, some of them marked, under the name of what they define."""

    name: str
    lines: tuple[str, ...]
    marked: frozenset[int]

    def __str__(self) -> str:
        sign = [">" if at in self.marked else " " for at in range(len(self.lines))]
        if not self.marked:
            return "\n".join(self.lines)
        return "\n".join(f"{s} {line}".rstrip() for s, line in zip(sign, self.lines, strict=True))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        told = [
            f"<b{_BAND}>{escape(line)}</b>" if at in self.marked else escape(line)
            for at, line in enumerate(self.lines)
        ]
        return (
            f"<p><code>{escape(self.name)}</code></p>\n<pre{_PRE}><code{_CODE}>"
            + "\n".join(told)
            + "\n</code></pre>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


def show_source(thing: Any, *, highlight: str | tuple[str, ...] = (), docs: bool = True) -> Source:
    """Return the source of a class, function or method from the package.

    Lines that match one of the regular expressions in `highlight` are marked.
    `docs=False` leaves docstrings out. Raises TypeError for what has no source, and
    ValueError for an expression that matches no line, since the mark would be missing.
    """
    text = inspect.cleandoc("\n" + inspect.getsource(thing))
    if not docs:
        text = _without_docs(text)
    lines = tuple(text.splitlines())
    wanted = (highlight,) if isinstance(highlight, str) else highlight
    marked: set[int] = set()
    for pattern in wanted:
        found = {at for at, line in enumerate(lines) if re.search(pattern, line)}
        if not found:
            raise ValueError(f"no line of {thing.__qualname__} matches {pattern!r}")
        marked |= found
    return Source(f"{thing.__module__}.{thing.__qualname__}", lines, frozenset(marked))


def _without_docs(text: str) -> str:
    """Return the source without its docstrings and the empty line after each."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            if ast.get_docstring(node) and len(node.body) > 1 and first.end_lineno:
                end = first.end_lineno + (not lines[first.end_lineno].strip())
                lines[first.lineno - 1 : end] = ["\0"] * (end - first.lineno + 1)
    return "\n".join(line for line in lines if line != "\0")
