"""Makes a program that disagrees smaller for as long as it still does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from tests.raceproof.fuzz.programs import If, Program, Try


def shrink(program: Program, fails: Callable[[Program], bool], tries: int = 400) -> Program:
    """Return the smallest program found for which `fails` still holds."""
    going = True
    while going and tries > 0:
        going = False
        for smaller in candidates(program):
            tries -= 1
            if tries <= 0:
                break
            if fails(smaller):
                program, going = smaller, True
                break
    return program


def candidates(program: Program) -> Iterator[Program]:
    """Yield programs that are a little smaller, the boldest first."""
    clients = program.clients
    for name in clients:
        if len(clients) > 1:
            rest = {other: ops for other, ops in clients.items() if other != name}
            afterwards = tuple(other for other in program.afterwards if other != name)
            daemons = tuple(other for other in program.daemons if other != name)
            if afterwards != tuple(rest):
                yield dataclasses.replace(
                    program, clients=rest, afterwards=afterwards, daemons=daemons
                )
    for name, operations in clients.items():
        for smaller in _smaller(operations):
            if smaller:
                yield dataclasses.replace(program, clients={**clients, name: smaller})
    for name in program.bounds:
        rest = {other: n for other, n in program.bounds.items() if other != name}
        yield dataclasses.replace(program, bounds=rest)
    for at in range(len(program.setup)):
        yield dataclasses.replace(program, setup=program.setup[:at] + program.setup[at + 1 :])
    for name in program.options:
        left = {other: n for other, n in program.options.items() if other != name}
        yield dataclasses.replace(program, options=left)
    if program.ticks:
        yield dataclasses.replace(program, ticks=program.ticks[1:])
    if program.afterwards:
        yield dataclasses.replace(program, afterwards=())
    if program.always:
        yield dataclasses.replace(program, always=0)
    if program.daemons:
        yield dataclasses.replace(program, daemons=())
    if program.wrong > 1:
        yield dataclasses.replace(program, wrong=1)


def _smaller(operations: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for at, op in enumerate(operations):
        before, after = operations[:at], operations[at + 1 :]
        yield before + after
        for inner in _inside(op):
            yield before + inner + after


def _inside(op: Any) -> Iterator[tuple[Any, ...]]:
    """Yield what an operation may be replaced by."""
    if isinstance(op, Try):
        yield op.body
        for body in _smaller(op.body):
            yield (Try(body),)
    if isinstance(op, If):
        yield op.then
        yield op.other
    for name in ("commands", "reads"):
        inner = getattr(op, name, ())
        for at in range(len(inner)):
            if len(inner) > 1 or name == "reads":
                yield (dataclasses.replace(op, **{name: inner[:at] + inner[at + 1 :]}),)
    for name in ("tries", "times"):
        if getattr(op, name, 1) > 1:
            yield (dataclasses.replace(op, **{name: 1}),)
