"""Which expressions of a method mean `super()`, and which the next class's method."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any


class SuperCalls:
    """The calls of `super()` in one method. `resolve(name)` says what a name means to it.

    `notes` collects what is odd about them; `polite` says that it asks whether there is a next.
    """

    def __init__(
        self, owner: type, method: str, resolve: Callable[[str], object], node: ast.AST
    ) -> None:
        self.owner, self.method, self.resolve, self.node = owner, method, resolve, node
        self.notes: list[str] = []
        self.polite = False
        self.local = _assigned_once(node)
        self.given = {part.func: part.args for part in ast.walk(node) if isinstance(part, ast.Call)}
        arguments: Any = getattr(node, "args", None)
        self.own = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)][:1]

    def is_next_method(self, node: ast.expr) -> bool:
        """Is this `super().method`, `getattr(super(), "method")` or a name for either?"""
        match node:
            case ast.Attribute(value=value, attr=attr):
                return attr == self.method and self.is_super(value)
            case ast.Call(
                func=ast.Name(id="getattr"), args=[first, ast.Constant(value=name), *default]
            ) if name == self.method and self.is_super(first):
                self.polite |= bool(default)
                return True
            case ast.Name(id=name, ctx=ast.Load()) if name in self.local:
                return self.is_next_method(self.local[name])
        return False

    def asks_for_next(self, test: ast.expr) -> bool:
        """Is this `hasattr(super(), "method")`?"""
        match test:
            case ast.Call(func=ast.Name(id="hasattr"), args=[first, ast.Constant(value=name)]):
                return name == self.method and self.is_super(first)
        return False

    def is_super(self, node: ast.expr) -> bool:
        """Is this `super()` under any name? Notes when it starts at another class."""
        match node:
            case ast.Name(id=name) if name in self.local:
                return self.is_super(self.local[name])
            case ast.Call(func=func, args=args) if self.means(func) is super:
                start = self.means(args[0]) if args else self.resolve("__class__")
                named = ast.unparse(args[0]) if args else self.owner.__name__
                # While the class statement runs, the owner's own name is not bound yet.
                unbound = not isinstance(start, type) and named == self.owner.__name__
                if start is not self.owner and not unbound:
                    named = start.__name__ if isinstance(start, type) else named
                    self.notes.append(f"its super() starts at {named}, not at its own class")
                return True
        return False

    def by_name(self, node: ast.Attribute) -> bool:
        """Is this the method of a class that is named, or is it called with `self` by hand?"""
        first = [arg.id for arg in self.given.get(node, [])[:1] if isinstance(arg, ast.Name)]
        return isinstance(self.means(node.value), type) or bool(first and first == self.own)

    def means(self, node: ast.expr) -> object:
        """Return what a name, or a module's attribute, means to the method now."""
        match node:
            case ast.Name(id=name) if name in self.local:
                return self.means(self.local[name])
            case ast.Name(id=name):
                return self.resolve(name)
            case ast.Attribute(value=ast.Name(id=module), attr=attr):
                return getattr(self.resolve(module), attr, None)
        return None

    def begins(self, statement: ast.stmt) -> bool:
        """Is `super()` the first thing in the statement's value that could fail?"""
        value: Any = getattr(statement, "value", statement)
        kinds = ast.Call | ast.Attribute | ast.Subscript
        parts: list[Any] = [part for part in ast.walk(value) if isinstance(part, kinds)]
        first = min(parts, key=lambda part: (part.end_lineno, part.end_col_offset), default=value)
        return self.is_super(first) or self.is_next_method(getattr(first, "func", first))

    def calls_somewhere(self, node: ast.AST) -> bool:
        """Is the next method called anywhere in this tree?"""
        return any(isinstance(at, ast.expr) and self.is_next_method(at) for at in ast.walk(node))


def _assigned_once(node: ast.AST) -> dict[str, ast.expr]:
    """Local names with a single assignment in the method, and what they are assigned."""
    found: dict[str, list[ast.expr]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            found.setdefault(part.targets[0].id, []).append(part.value)
        elif isinstance(part, ast.NamedExpr):
            found.setdefault(part.target.id, []).append(part.value)
    once = {name: values[0] for name, values in found.items() if len(values) == 1}
    for _ in once:  # through `a = b` to what `b` is; where they go round, nobody knows
        once = {name: once.get(getattr(value, "id", ""), value) for name, value in once.items()}
    return {name: value for name, value in once.items() if getattr(value, "id", "") not in once}


@functools.lru_cache(maxsize=512)
def syntax_tree(function: FunctionType) -> ast.FunctionDef | ast.Lambda | None:
    """Return the tree of this function's source, None if there is none."""
    code = function.__code__
    try:  # of the function: for its code alone, `inspect` looks through all modules
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):
        return None
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    found: list[Any] = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    found = [node for node in found if getattr(node, "name", "<lambda>") == code.co_name]
    found = [node for node in found if set(map(_as_written, code.co_names)) <= _mentioned(node)]
    return found[0] if len(found) == 1 or (found and code.co_name != "<lambda>") else None


def _as_written(name: str) -> str:
    """Return `__helper` for `_Owner__helper`, which the compiler makes of it in a class."""
    return re.sub(r"^_[^_]\w*?(?=__\w*[^_]_?$)", "", name)


def _mentioned(node: ast.AST) -> set[str]:
    """Names that the tree mentions: those of the compiled code must be among them."""
    values = [value for part in ast.walk(node) for value in vars(part).values()]
    return {_as_written(value) for value in values if isinstance(value, str)} | {"AssertionError"}
