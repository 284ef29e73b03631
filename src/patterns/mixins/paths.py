"""Follow every path through a method's syntax tree: is the next method called on each?

A path is tracked by one bit, called or not yet. Statements turn the set of bits that can
arrive into the set that can leave; `return` takes its bits to the end, `raise` drops them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from .super_calls import SuperCalls

Bits = frozenset[bool]
START: Bits = frozenset({False})
NONE: Bits = frozenset()
Calls = Literal["always", "if there is one", "sometimes", "never", "cannot tell"]


class Paths(SuperCalls):
    """The paths of one method. `resolve(name)` says what a name means to the function."""

    doubtful = False
    ended = NONE

    def verdict(self) -> tuple[Calls, str]:
        """Return whether the next method is called, and what is odd about how."""
        body: Any = getattr(self.node, "body", [])  # a lambda's is an expression
        bits = self.block([ast.Expr(body)] if isinstance(body, ast.expr) else body, START)
        bits |= self.ended
        why = "; ".join(dict.fromkeys(self.notes))
        if self.doubtful or why:
            return "cannot tell", why or "it keeps super() for later"
        if bits == {True}:
            return ("if there is one" if self.polite else "always"), ""
        return ("sometimes" if True in bits else "never"), ""

    def block(self, statements: Sequence[ast.stmt], bits: Bits) -> Bits:
        """Return the bits after these statements."""
        for statement in statements:
            bits = self.statement(statement, bits)
        return bits

    def statement(self, node: ast.stmt, bits: Bits) -> Bits:
        """Return the bits after one statement; what ends the method goes to `ended`."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.doubtful |= self.calls_somewhere(node)
                return bits
            case ast.Return(value=value):
                self.ended |= self.expression(value, bits)
                return NONE
            case ast.Raise():
                return NONE
            case ast.If(test=test, body=body, orelse=orelse):
                bits = self.expression(test, bits)
                if self.asks_for_next(test):
                    self.polite = True
                    return self.block(body, bits)
                if isinstance(test, ast.Constant):
                    return self.block(body if test.value else orelse, bits)
                return self.block(body, bits) | self.block(orelse, bits)
            case ast.For(iter=head, body=body) | ast.While(test=head, body=body):
                before = self.expression(head, bits)
                after = before | self.block(body, before)
                return self.block(node.orelse, after) | (after if _has(body, ast.Break) else NONE)
            case ast.With(items=items, body=body):
                for item in items:
                    bits = self.expression(item.context_expr, bits)
                return self.block(body, bits) | (NONE if self.begins(body[0]) else bits)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                before, self.ended = self.ended, NONE
                done = self.block(body, bits)
                caught = bits | done
                if _only_missing(handlers) and self.begins(body[0]):
                    caught, self.polite = frozenset({True}), True
                left = NONE.union(*(self.block(h.body, caught) for h in handlers))
                left |= self.block(orelse, done)
                ended = self.ended | (bits if _has(final, ast.Return) else NONE)
                self.ended = before
                ended = self.block(final, ended)
                self.ended |= ended
                return self.block(final, left)
            case ast.Assert(test=test):
                return self.expression(test, bits)
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

    def expression(self, node: ast.expr | None, bits: Bits) -> Bits:
        """Evaluate in the order in which Python would: some parts may be left out."""
        match node:
            case None:
                return bits
            case ast.IfExp(test=test, body=body, orelse=orelse):
                asked = ast.If(test, [ast.Expr(body)], [ast.Expr(orelse)])
                return self.statement(asked, bits)
            case ast.BoolOp(values=[first, *rest]):
                bits = self.expression(first, bits)
                after = bits
                for value in rest:
                    after |= self.expression(value, after)
                return after
            case ast.Compare(left=left, comparators=[second, *rest]) if rest:
                pair = ast.Tuple([left, second])
                return self.expression(ast.BoolOp(ast.And(), [pair, *rest]), bits)
            case ast.Lambda() | ast.GeneratorExp():
                self.doubtful |= self.calls_somewhere(node)
                return bits
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return bits | ({True} if self.calls_somewhere(node) else NONE)
            case ast.Call(func=func) if self.is_next_method(func):
                return frozenset({True}) if bits else bits
            case ast.Attribute(attr=attr) if attr == self.method and self.by_name(node):
                self.notes.append(f"it calls {ast.unparse(node)} by name, not through super()")
        if self.is_next_method(node):
            if isinstance(vars(self.owner)[self.method], property | cached_property):
                return frozenset({True}) if bits else bits
            self.doubtful = True
        for child in ast.iter_child_nodes(node):
            inner = child.value if isinstance(child, ast.keyword) else child
            if isinstance(inner, ast.expr):
                bits = self.expression(inner, bits)
        return bits


def _has(body: Sequence[ast.stmt], kind: type[ast.stmt]) -> bool:
    return any(isinstance(part, kind) for statement in body for part in ast.walk(statement))


def _only_missing(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Do the handlers catch AttributeError alone, which says that no class is next?"""
    types = [handler.type for handler in handlers]
    return bool(types) and all(isinstance(t, ast.Name) and t.id == "AttributeError" for t in types)
