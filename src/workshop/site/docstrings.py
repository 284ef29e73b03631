"""Our docstrings are plain text with `names` in backticks; Sphinx reads reStructuredText."""

from __future__ import annotations

import re

_ROW = re.compile(r"^\S.* {2,}\S")
_ARGUMENT = re.compile(r"^`\w+`( \([^)]*\))?:")


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText that shows the same.

    What is in backticks is code. Indented lines and rows whose second word stands in a column are
    shown as they are. A line that begins with an argument's name begins a paragraph.
    """
    found: list[str] = []
    block = False
    for line in lines:
        if not line.strip():
            found.append("")
            continue
        literal = line.startswith("  ") or bool(_ROW.match(line))
        if literal and not block:
            found += ["", "::", ""]
        elif not literal and (block or _ARGUMENT.match(line)):
            found.append("")
        block = literal
        found.append(f"    {line}" if literal else _prose(line))
    return found


def _prose(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:  # a name in backticks that goes on in the next line
        return re.sub(r"([\\*|`])", r"\\\1", line)
    shown = [f"``{p}``" if at % 2 else _escaped(p) for at, p in enumerate(parts)]
    return "".join(_joined(shown))


def _joined(parts: list[str]) -> list[str]:
    """Parts with a zero-width escape where code touches a word."""
    made = []
    for at, part in enumerate(parts):
        if at % 2 == 0 and at and part[:1].isalnum():
            part = "\\ " + part
        if at % 2 == 0 and part[-1:].isalnum() and at + 1 < len(parts):
            part += "\\ "
        made.append(part)
    return made


def _escaped(text: str) -> str:
    return re.sub(r"(\w)_(?=\W|$)", r"\1\\_", re.sub(r"([\\*|])", r"\\\1", text))
