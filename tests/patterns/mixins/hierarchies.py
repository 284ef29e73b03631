"""Class hierarchies made from text: each class adds its own key, in one of many styles."""

from __future__ import annotations

import functools
import itertools
import linecache
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

METHOD = "get_context"
CALLS = {
    "zero arguments": "ctx = super().get_context()",
    "two arguments": "ctx = super({name}, self).get_context()",
    "alias": "ctx = parent({name}, self).get_context()",
    "module attribute": "ctx = builtins.super({name}, self).get_context()",
    "kept super": "up = super()\n        ctx = up.get_context()",
    "bound method": "ask = super().get_context\n        ctx = ask()",
    "getattr": "ctx = getattr(super(), 'get_context')()",
    "both branches": (
        "if len('{name}') > 3:\n            ctx = super().get_context()\n"
        "        else:\n            ctx = super().get_context()"
    ),
    "with block": "with quiet():\n            ctx = super().get_context()",
    "inside a call": "ctx = dict(super().get_context())",
    "after a loop to its end": (
        "for flag in '{name}':\n            pass\n"
        "        else:\n            ctx = super().get_context()"
    ),
    "else of a try": (
        "try:\n            pass\n        except ValueError:\n            raise\n"
        "        else:\n            ctx = super().get_context()"
    ),
    "inside a call in a block": ("with quiet():\n            ctx = dict(super().get_context())"),
    "bound method in a block": (
        "ask = super().get_context\n        with quiet():\n            ctx = ask()"
    ),
    "under a second name": "up = super()\n        on = up\n        ctx = on.get_context()",
    "kept in a list": (
        "kept = [0]\n        with quiet():\n            kept[0] = super().get_context()\n"
        "        ctx = kept[0]"
    ),
    "one comparison": "ctx = {{}} if (ctx := super().get_context()) is None else ctx",
    "in finally": (
        "try:\n            pass\n        finally:\n            ctx = super().get_context()"
    ),
    "conditional value": (
        "ctx = super().get_context() if len('{name}') > 3 else super().get_context()"
    ),
    "other error caught": (
        "try:\n            int('1')\n        except ValueError:\n            pass\n"
        "        ctx = super().get_context()"
    ),
}
POLITE = {
    "asks first": (
        "ctx = {{}}\n        if hasattr(super(), 'get_context'):\n"
        "            ctx = super().get_context()"
    ),
    "asks in a value": "ctx = super().get_context() if hasattr(super(), 'get_context') else {{}}",
    "default": "ctx = getattr(super(), 'get_context', dict)()",
    "catches the missing one": (
        "try:\n            ctx = super().get_context()\n"
        "        except AttributeError:\n            ctx = {{}}"
    ),
    "returns before the handler": (
        "try:\n            return {{**super().get_context(), '{name}': 1}}\n"
        "        except AttributeError:\n            ctx = {{}}"
    ),
}
STOPS = {
    "never": "ctx = {{}}",
    "dead branch": "ctx = {{}}\n        if False:\n            ctx = super().get_context()",
    "early return": "return {{'{name}': 1}}\n        ctx = super().get_context()",
    "only in words": "'super().get_context()'\n        ctx = {{}}",
    "raises after a return": (
        "if flags[1]:\n            return {{'{name}': 1}}\n        try:\n"
        "            raise LookupError\n        finally:\n            super().get_context()"
    ),
    "the words of an assertion": "ctx = {{}}\n        assert flags, super().get_context()",
    "another method": "ctx = {{}}\n        getattr(super(), 'other', dict)()",
}
BRANCH = {
    "taken branch": "ctx = {{}}\n        if flags[1]:\n            ctx = super().get_context()",
    "skipped branch": "ctx = {{}}\n        if flags[0]:\n            ctx = super().get_context()",
    "catches everything": (
        "try:\n            ctx = super().get_context()\n"
        "        except Exception:\n            ctx = {{}}"
    ),
    "taken or": "ctx = flags[0] or super().get_context()",
    "suppresses what is before": (
        "ctx = {{}}\n        with suppress(LookupError):\n            flags[2]\n"
        "            ctx = super().get_context()"
    ),
    "misses an attribute of its own": (
        "try:\n            self.nothing\n            ctx = super().get_context()\n"
        "        except AttributeError:\n            ctx = {{}}"
    ),
    "misses one in the same value": (
        "try:\n            ctx = {{'x': self.nothing, **super().get_context()}}\n"
        "        except AttributeError:\n            ctx = {{}}"
    ),
    "misses a key in the same value": (
        "ctx = {{}}\n        with suppress(LookupError):\n"
        "            ctx = {{'x': flags[2], **super().get_context()}}"
    ),
    "swallows by a return": (
        "try:\n            flags[2]\n            return super().get_context()\n"
        "        finally:\n            return {{'{name}': 1}}"
    ),
    "for without its else": (
        "ctx = {{}}\n        for flag in flags:\n            if flag:\n                break\n"
        "        else:\n            ctx = super().get_context()"
    ),
    "while without its else": (
        "ctx = {{}}\n        while flags:\n            break\n"
        "        else:\n            ctx = super().get_context()"
    ),
    "decided by the first comparison": "ctx = {{}}\n        2 < 1 < len(super().get_context())",
    "loops over nothing": (
        "ctx = {{}}\n        for flag in flags[2:]:\n            ctx = super().get_context()"
    ),
    "returns before it tries": (
        "if flags[1]:\n            return {{'{name}': 1}}\n        try:\n            return {{}}\n"
        "        finally:\n            ctx = super().get_context()"
    ),
    "short circuit": "ctx = (flags[1] and {{}}) if flags[1] else super().get_context()",
}
DECORATORS = ("", "@wrapped", "@plainly", "@twice\n    ")
STYLES = {**CALLS, **POLITE, **STOPS, **BRANCH}
_numbers = itertools.count()


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def plainly(function: Any) -> Any:
    def wrapper(self: Any) -> Any:
        return function(self)

    return wrapper


def twice(function: Any) -> Any:
    return wrapped(wrapped(function))


class Quiet:
    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


@dataclass(frozen=True)
class Plan:
    """One class: its name, how it calls super() (None: it has no such method), its bases."""

    name: str
    style: str | None = None
    decorator: str = ""
    bases: tuple[str, ...] = ()

    def source(self) -> str:
        head = f"class {self.name}({', '.join(self.bases)}):\n"
        if self.style is None:
            return head + "    pass\n"
        lines = [f"    {self.decorator}".rstrip()] if self.decorator else []
        lines += ["    def get_context(self):", "        " + STYLES[self.style]]
        lines += ["        return {{**ctx, '{name}': 1}}"]
        return head + "\n".join(lines).format(name=self.name) + "\n"


@dataclass
class World:
    """The classes of a list of plans; `build` raises TypeError when Python does."""

    plans: Sequence[Plan]
    with_source: bool = True
    classes: dict[str, type] = field(default_factory=dict)

    def build(self) -> type:
        source = "\n".join(plan.source() for plan in self.plans)
        file = f"<hierarchy {next(_numbers)}>" if self.with_source else "<string>"
        if self.with_source:
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        import builtins

        names = {
            **{
                "parent": super,
                "builtins": builtins,
                "quiet": Quiet,
                "suppress": suppress,
                "flags": [False, True],
            },
            **{"wrapped": wrapped, "plainly": plainly, "twice": twice, "__name__": "made"},
        }
        exec(compile(source, file, "exec"), names)
        self.classes = {plan.name: names[plan.name] for plan in self.plans}
        return self.classes[self.plans[-1].name]


def complete(cls: type) -> bool:
    """What running shows, found without any of the tools: is every class's key there?"""
    expected = {owner.__name__ for owner in cls.__mro__ if METHOD in vars(owner)}
    try:
        return set(cls().get_context()) == expected
    except (AttributeError, RecursionError):
        return False
