"""The syntax tree of a function that is already compiled, where its source can be found."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from types import CodeType
from typing import Any


@functools.lru_cache(maxsize=512)
def syntax_tree(code: CodeType, file: str) -> ast.FunctionDef | ast.Lambda | None:
    """Return the tree of this code. Equal code in another file has its own: see `file`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):
        return None
    found: list[Any] = [
        node
        for node in ast.walk(tree)
        if (code.co_name == "<lambda>" and isinstance(node, ast.Lambda))
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name)
    ]
    found = [node for node in found if set(map(_as_written, code.co_names)) <= _mentioned(node)]
    return found[0] if len(found) == 1 or (found and code.co_name != "<lambda>") else None


def _as_written(name: str) -> str:
    """Return `__helper` for `_Owner__helper`, which the compiler makes of it in a class."""
    return re.sub(r"^_[^_]\w*?(?=__\w*[^_]_?$)", "", name)


def _mentioned(node: ast.AST) -> set[str]:
    """Names that the tree mentions: those of the compiled code must be among them."""
    values = [value for part in ast.walk(node) for value in vars(part).values()]
    return {_as_written(value) for value in values if isinstance(value, str)} | {"AssertionError"}
