"""Follow every path through a method's syntax tree: is the next method called on each?

A path is tracked by one bit, called or not yet. Statements turn the set of bits that can
arrive into the set that can leave; `return` takes its bits to the end, `raise` drops them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal

Bits = frozenset[bool]
START: Bits = frozenset({False})
Verdict = Literal["always", "if there is one", "sometimes", "never", "cannot tell"]


class Paths:
    """The paths of one method. `resolve(name)` says what a name means to the function."""

    def __init__(
        self, owner: type, method: str, resolve: Callable[[str], object], node: ast.AST
    ) -> None:
        self.owner, self.method, self.resolve, self.node = owner, method, resolve, node
        self.notes: list[str] = []
        self.polite = False
        self.doubtful = False
        self.ended: Bits = frozenset()
        self.local = _assigned_once(node)

    def verdict(self) -> tuple[Verdict, str]:
        """Return whether the next method is called, and what is odd about how."""
        body = self.node.body if isinstance(self.node, ast.FunctionDef) else None
        if body is None:
            value = getattr(self.node, "body", None)
            body = [ast.Expr(value)] if isinstance(value, ast.expr) else []
        bits = self.block(body, START) | self.ended
        why = "; ".join(dict.fromkeys(self.notes))
        if self.doubtful or (why and True in bits):
            return "cannot tell", why or "it keeps super() for later"
        if bits == {True}:
            return ("if there is one" if self.polite else "always"), why
        return ("sometimes" if True in bits else "never"), why

    def block(self, statements: Sequence[ast.stmt], bits: Bits) -> Bits:
        for statement in statements:
            bits = self.statement(statement, bits)
        return bits

    def statement(self, node: ast.stmt, bits: Bits) -> Bits:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.doubtful |= self.calls_somewhere(node)
                return bits
            case ast.Return(value=value):
                self.ended |= self.expression(value, bits)
                return frozenset()
            case ast.Raise():
                return frozenset()
            case ast.If(test=test, body=body, orelse=orelse):
                return self.branch(test, body, orelse, self.expression(test, bits))
            case ast.For(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
                head = node.iter if isinstance(node, ast.For) else node.test
                before = self.expression(head, bits)
                return self.block(orelse, before | self.block(body, before))
            case ast.With(items=items, body=body):
                for item in items:
                    bits = self.expression(item.context_expr, bits)
                return self.block(body, bits)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                done = self.block(body, bits)
                caught = bits | done
                if _only_missing(handlers) and self.calls_somewhere(ast.Module([*body], [])):
                    caught, self.polite = frozenset({True}), True
                left = frozenset[bool]().union(*(self.block(h.body, caught) for h in handlers))
                return self.block(final, self.block(orelse, done) | left)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (
                name in self.local and self.is_next_method(value)
            ):
                return bits
            case ast.Match(subject=subject, cases=cases):
                before = self.expression(subject, bits)
                arms = (self.block(case.body, before) for case in cases)
                return before.union(*arms)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                bits = self.expression(child, bits)
        return bits

    def branch(
        self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], bits: Bits
    ) -> Bits:
        if isinstance(test, ast.Constant):
            return self.block(body if test.value else orelse, bits)
        if self.asks_for_next(test):
            self.polite = True
            return self.block(body, bits)
        return self.block(body, bits) | self.block(orelse, bits)

    def expression(self, node: ast.expr | None, bits: Bits) -> Bits:
        """Evaluate in the order in which Python would: some parts may be left out."""
        match node:
            case None:
                return bits
            case ast.IfExp(test=test, body=body, orelse=orelse):
                then, other = [ast.Expr(body)], [ast.Expr(orelse)]
                return self.branch(test, then, other, self.expression(test, bits))
            case ast.BoolOp(values=[first, *rest]):
                bits = self.expression(first, bits)
                after = bits
                for value in rest:
                    after |= self.expression(value, after)
                return after
            case ast.Lambda() | ast.GeneratorExp():
                self.doubtful |= self.calls_somewhere(node)
                return bits
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return bits | ({True} if self.calls_somewhere(node) else frozenset())
            case ast.Call(func=func) if self.is_next_method(func):
                return frozenset({True}) if bits else bits
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if (
                attr == self.method and isinstance(self.resolve(name), type)
            ):
                self.notes.append(f"it calls {name}.{attr} by name, not through super()")
        if self.is_next_method(node):
            if isinstance(vars(self.owner)[self.method], property | cached_property):
                return frozenset({True}) if bits else bits
            self.doubtful = True
        for child in ast.iter_child_nodes(node):
            inner = child.value if isinstance(child, ast.keyword) else child
            if isinstance(inner, ast.expr):
                bits = self.expression(inner, bits)
        return bits

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
                if not args:
                    start = self.resolve("__class__")
                    start = start if isinstance(start, type) else self.owner
                else:
                    start = self.means(args[0])
                unbound = not isinstance(start, type) and args and _is_name(args[0], self.owner)
                if start is not self.owner and not unbound:
                    named = start.__name__ if isinstance(start, type) else ast.unparse(args[0])
                    self.notes.append(f"its super() starts at {named}, not at its own class")
                return True
        return False

    def means(self, node: ast.expr) -> object:
        match node:
            case ast.Name(id=name) if name in self.local:
                return self.means(self.local[name])
            case ast.Name(id=name):
                return self.resolve(name)
            case ast.Attribute(value=ast.Name(id=module), attr=attr):
                return getattr(self.resolve(module), attr, None)
        return None

    def calls_somewhere(self, node: ast.AST) -> bool:
        parts = ast.walk(node)
        return any(isinstance(part, ast.expr) and self.is_next_method(part) for part in parts)


def _assigned_once(node: ast.AST) -> dict[str, ast.expr]:
    """Local names with a single assignment in the method, and what they are assigned."""
    found: dict[str, list[ast.expr]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            found.setdefault(part.targets[0].id, []).append(part.value)
        elif isinstance(part, ast.NamedExpr):
            found.setdefault(part.target.id, []).append(part.value)
    once = {name: values[0] for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in once.items() if not _circular(name, once)}


def _circular(name: str, local: dict[str, ast.expr]) -> bool:
    """Does following `a = b`, `b = a` from this name ever come back or stay?"""
    seen = {name}
    while isinstance(value := local.get(name), ast.Name):
        name = value.id
        if name in seen:
            return True
        seen.add(name)
    return False


def _is_name(node: ast.expr, owner: type) -> bool:
    """Is this the owner's name? While its class statement runs the name is not bound yet."""
    return isinstance(node, ast.Name) and node.id == owner.__name__


def _only_missing(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Do the handlers catch AttributeError alone, which says that nobody is next?"""
    types = [handler.type for handler in handlers]
    return bool(types) and all(isinstance(t, ast.Name) and t.id == "AttributeError" for t in types)
