"""The changes that cosmic-ray knows: how one is named, drawn, made and taken back."""

from __future__ import annotations

import ast
import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

Place = tuple[str, str, int]


def place(item: Any) -> Place:
    """Return what names a change in every session: file, operator, which of its occurrences."""
    change = item.mutations[0]
    return str(change.module_path), change.operator_name, change.occurrence


def lot(one: Place, seed: int) -> str:
    """Return what a change drew: the lowest are the sample, however large it is."""
    return hashlib.sha256(f"{seed} {one}".encode()).hexdigest()


def digest(*files: Path) -> str:
    """Return a hash of the names and the text of some files."""
    texts = hashlib.sha256()
    for file in sorted(files):
        texts.update(str(file).encode() + file.read_bytes())
    return texts.hexdigest()


def statement(file: Path, line: int) -> range:
    """Return the lines of the innermost statement that a line is of, without its body."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or line
            if node.lineno <= line <= max(last, node.lineno):
                found = range(node.lineno, max(last, node.lineno) + 1)
    return found


class Bare(ast.NodeTransformer):
    """Takes out annotations, which are never evaluated."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant("")
        return self.generic_visit(node)


def is_program(one: Place) -> bool:
    """Return whether a changed file is a program, and another one than before."""
    text = Path(one[0]).read_text()
    new = mutate_code(text, get_operator(one[1])(), one[2])
    try:
        compile(new, one[0], "exec")
    except SyntaxError:
        return False
    old_tree, new_tree = (ast.dump(Bare().visit(ast.parse(code))) for code in (text, new))
    return old_tree != new_tree


@contextmanager
def changed(one: Place) -> Iterator[str]:
    """Change one place of a file meanwhile; yield the lines that are not as they were."""
    file = Path(one[0])
    text, was = file.read_text(), file.stat()
    new = mutate_code(text, get_operator(one[1])(), one[2])
    pairs = zip(text.splitlines(), new.splitlines(), strict=False)
    old_line, new_line = next((a.strip(), b.strip()) for a, b in pairs if a != b)
    try:
        file.write_text(new)
        # A compiled module is known by its size and second: no two changes share a second.
        os.utime(file, (was.st_atime, random.SystemRandom().getrandbits(30)))
        yield f"{old_line}\n{new_line}"
    finally:
        file.write_text(text)
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
