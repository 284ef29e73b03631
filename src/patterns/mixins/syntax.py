"""The syntax tree of a function that is already compiled, where its source can be found."""

from __future__ import annotations

import ast
import functools
import inspect
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
    found = [node for node in found if set(code.co_names) <= _mentioned(node)]
    return found[0] if len(found) == 1 or (found and code.co_name != "<lambda>") else None


def _mentioned(node: ast.AST) -> set[str]:
    """Names that the tree mentions: those of the compiled code must be among them."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    for item in ast.walk(node):
        if isinstance(item, ast.Import | ast.ImportFrom):
            names |= {part for a in item.names for part in (a.name, a.asname or a.name)}
            names |= {getattr(item, "module", None) or ""}
        elif isinstance(item, ast.Assert):
            names.add("AssertionError")
    return names
