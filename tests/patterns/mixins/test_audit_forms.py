"""The audit on the forms that real code has, one by one."""

from __future__ import annotations

import functools
import linecache
import sys
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from tests.patterns.mixins.hierarchies import plainly

from patterns.mixins import ChainAudit, audit_cooperation, mro_table
from patterns.mixins.call_trace import watch


class Base:
    def get_context(self) -> dict[str, Any]:
        return {"base": 1}


class Good:
    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "good": 1}


def in_module(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = super(type(page), page).get_context()
    return found


class Good2:
    def get_context(self) -> dict[str, Any]:
        return super().get_context() | {"good2": 1}


def audit(*bases: type, method: str = "get_context", **how: Any) -> ChainAudit:
    return audit_cooperation(type("Concrete", bases, {}), method, **how)


def named(result: ChainAudit) -> list[tuple[str, int]]:
    return [(finding.owner.__name__, finding.rule) for finding in result.findings]


def test_the_first_example_of_2014_misses_the_class_behind_the_silent_one() -> None:
    class FirstMixin:
        def get_context(self):
            return {"first": True}

    class BaseClass(FirstMixin):
        def get_context(self):
            return {**super().get_context(), "base": True}

    result = audit(BaseClass, Good)
    assert named(result) == [("FirstMixin", 3)]
    assert "no class asks Good" in str(result)
    told = audit(BaseClass, Good, base=BaseClass)
    assert named(told) == [("BaseClass", 2), ("FirstMixin", 1)]
    assert audit(Good, BaseClass).cooperative is True


def test_two_complete_halves_cannot_be_helped_by_a_rule() -> None:
    class OtherBase:
        def get_context(self):
            return {"other": 1}

    left = type("Left", (Good, Base), {})
    right = type("Right", (type("AlsoGood", (Good,), {}), OtherBase), {})
    result = audit(left, right)
    assert named(result) == [("Base", 0)]
    assert "Left needs it to end its own chain" in str(result)
    assert "use providers" in str(result)


def test_a_base_that_the_run_did_not_reach_is_judged_by_its_code() -> None:
    class Silent:
        def get_context(self):
            return {}

    class Calling:
        def get_context(self):
            return super().get_context()

    assert named(audit(Silent, Calling, base=Calling)) == [("Calling", 2), ("Silent", 1)]


def test_a_class_that_starts_at_type_self_recurses_and_is_named() -> None:
    class Recursing:
        def get_context(self):
            return {**super(type(self), self).get_context(), "recursing": 1}

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        result = audit(Recursing, Base)
    finally:
        sys.setrecursionlimit(limit)
    assert named(result) == [("Recursing", 1)]
    assert "starts at type(self)" in str(result)
    assert audit(Recursing, Base, run=None).cooperative is None


def test_a_class_whose_name_is_not_bound_yet_starts_at_its_own() -> None:
    """While the class statement runs, `Named` means nothing to the method."""
    audits: list[ChainAudit] = []

    class Audited(Base):
        def __init_subclass__(cls) -> None:
            audits.append(audit_cooperation(cls, "get_context", run=None))

    class Named(Audited):
        def get_context(self):
            return {**super(Named, self).get_context(), "named": 1}  # noqa: UP008

    assert [found.cooperative for found in audits] == [True]


def test_a_class_that_starts_at_another_class_skips_and_is_named() -> None:
    class Skipping:
        def get_context(self):
            return {**super(Good, self).get_context(), "skipping": 1}

    result = audit(Skipping, Good, Base)
    assert named(result) == [("Skipping", 1)]
    assert "starts at Good" in str(result)


def test_a_parent_called_by_name_is_a_doubt_where_it_works_and_a_finding_where_it_skips() -> None:
    class ByName(Base):
        def get_context(self):
            return {**Base.get_context(self), "by name": 1}

    works = audit_cooperation(ByName, "get_context")
    assert works.cooperative is None
    assert "calls Base.get_context by name" in str(works)

    class Between(Base):
        def get_context(self):
            return {**super().get_context(), "between": 1}

    assert named(audit(ByName, Between)) == [("ByName", 1)]


def test_a_branch_that_the_run_did_not_decide_is_a_doubt() -> None:
    class Branching:
        on = True

        def get_context(self):
            if self.on:
                return {**super().get_context(), "branch": 1}
            return {"branch": 0}

    taken = audit(Branching, Base)
    assert taken.cooperative is None
    assert "on some paths only" in str(taken)
    unsure = audit(Base, Branching, run=None)
    assert named(unsure) == [("Base", 1)]
    assert "or rule 3, if it is meant to be the base" in str(unsure)
    off = type("Off", (Branching,), {"on": False})
    assert named(audit(off, Base)) == [("Branching", 1)]
    last = audit(Good, off)
    assert last.cooperative is None
    assert "it is the last, and it calls super() on some paths only" in str(last)
    assert named(audit(Good, Branching)) == [("Branching", 2)]  # the run ended there


def test_what_the_run_did_not_reach_is_dropped_whatever_the_code_seems_to_say() -> None:
    class Fails:
        def get_context(self):
            with suppress(AttributeError):
                return super().get_context(self.nothing)  # type: ignore[attr-defined]
            return {}

    result = audit(Good, Fails, Base)
    assert named(result) == [("Fails", 1)]
    assert "it or its wrapper does not pass the call on" in str(result)
    assert [row.reached for row in result.table.rows if row.defines] == ["yes", "yes", "no"]


def test_what_is_called_in_finally_is_called_after_a_return() -> None:
    class Closes:
        def get_context(self):
            try:
                return {}
            finally:
                super().get_context()

    class Returns:
        def get_context(self):
            try:
                return {}
            finally:
                return super().get_context()  # noqa: B012, SIM107

    for cls in (Closes, Returns):
        assert audit(cls, Base, run=None).cooperative is True


def test_names_that_stand_for_each_other_mean_nothing() -> None:
    class Circular:
        def get_context(self):
            up = on  # type: ignore[used-before-def]  # noqa: F821
            on = up
            return on.get_context()

    assert named(audit(Circular, Base, run=None)) == [("Circular", 1)]


def test_a_function_from_outside_a_class_is_read_as_if_it_were_in_it() -> None:
    def get_context(self):
        return super().get_context()  # type: ignore[misc]

    loose = type("Loose", (), {"get_context": get_context})
    assert audit(loose, Base, run=None).cooperative is True
    assert "RuntimeError in Loose: give run=" in str(audit(loose, Base))


def test_to_ask_for_another_method_says_nothing_about_this_one() -> None:
    class Asking:
        def get_context(self):
            if hasattr(super(), "close"):
                return {**super().get_context(), "asking": 1}
            return {}

    result = audit(Asking, Base, run=None)
    assert result.cooperative is None
    assert "on some paths only" in str(result)


def test_a_helper_that_calls_super_is_followed_by_running_only() -> None:
    class Helped:
        def rest(self):
            return super().get_context()

        def get_context(self):
            return {**self.rest(), "helped": 1}

    assert audit(Helped, Base).cooperative is True
    code_only = audit(Helped, Base, run=None)
    assert code_only.cooperative is None
    assert "through rest()" in str(code_only)

    class Inherits(Helped):
        def get_context(self):
            return {**self.rest(), "inherits": 1}

    def extended(page):
        return super(Outside, page).get_context()  # type: ignore[misc]

    class Outside:
        def get_context(self):
            return {**extended(self), "outside": 1}

    class InModule:
        def get_context(self):
            return {**in_module(self), "in module": 1}

    def silent(page):
        return super(Silent, page).get_name()  # type: ignore[misc]

    def another(page):
        return page.parent.get_context()

    class Silent:
        def get_context(self):
            return {**silent(self), **another(self), "silent": 1}

    for cls, helper in ((Inherits, "rest"), (Outside, "extended"), (InModule, "in_module")):
        code_only = audit(cls, Base, run=None)
        assert code_only.cooperative is None
        assert f"{cls.__name__}: it may call super() through {helper}()" in str(code_only)
    assert named(audit(Silent, Base, run=None)) == [("Silent", 1)]


def test_a_wrapper_that_does_not_call_the_method_is_named() -> None:
    def cached(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(self: Any) -> Any:
            return {"stored": 1}

        return wrapper

    class Cached:
        @cached
        def get_context(self):
            return {**super().get_context(), "cached": 1}

    for bases in [(Cached, Base), (Good, Cached, Base), (Good, Cached, Good2, Base)]:
        result = audit(*bases)
        assert named(result) == [("Cached", 1)]
        assert "wrapper does not pass the call on" in str(result)


@pytest.mark.parametrize("decorator", [plainly, functools.lru_cache, functools.cache])
def test_wrapped_methods_are_seen_through(decorator: Any) -> None:
    class Wrapped:
        @decorator
        def get_context(self):
            return {**super().get_context(), "wrapped": 1}

    assert audit(Wrapped, Base).cooperative is True
    table = mro_table(type("Concrete", (Wrapped, Base), {}), "get_context")
    assert [row.added for row in table.rows if row.defines] == [("wrapped",), ("base",)]


def test_properties_and_cached_properties() -> None:
    class Root:
        @property
        def context(self):
            return {"root": 1}

    class Prop:
        @property
        def context(self):
            return {**super().context, "prop": 1}

    class Cached:
        @functools.cached_property
        def context(self):
            return {**super().context, "cached": 1}

    class Silent:
        @property
        def context(self):
            return {"silent": 1}

    assert audit(Prop, Cached, Root, method="context").cooperative is True
    assert audit(Prop, Cached, Root, method="context", run=None).cooperative is True
    assert named(audit(Silent, Cached, Root, method="context")) == [("Silent", 1)]


def test_classmethods() -> None:
    class Root:
        @classmethod
        def names(cls):
            return {"root": 1}

    class More:
        @classmethod
        def names(cls):
            return {**super().names(), "more": 1}

    class Two:
        @classmethod
        def names(cls):
            return {**super(Two, cls).names(), "two": 1}  # noqa: UP008

    assert audit(More, Two, Root, method="names").cooperative is True
    assert named(audit(Root, More, method="names")) == [("Root", 3)]


def test_a_classmethod_is_called_where_no_object_can_be_made() -> None:
    class Demands:
        def __init__(self, title: str) -> None: ...

        @classmethod
        def names(cls):
            return {}

        def get_context(self):
            return {}

        @plainly
        def get_wrapped(self):
            return {}

    assert audit(Demands, method="names").table.rows[1].reached == "yes"
    for method in ("get_context", "get_wrapped"):
        unseen = audit(Demands, method=method)
        assert unseen.table.rows[1].reached == "not run"
        assert "the run ended with TypeError: give run=" in str(unseen)


def test_init_ends_at_object() -> None:
    class Tagged:
        def __init__(self, *, tag, **rest):
            super().__init__(**rest)
            self.tag = tag

    class Dated:
        def __init__(self, *, date, **rest):
            super().__init__(**rest)
            self.date = date

    class Silent:
        def __init__(self, **rest):
            self.silent = True

    class Narrow:
        def __init__(self):
            super().__init__()

    def both(cls: Any) -> object:
        return cls(tag="x", date="today")

    def more(cls: Any) -> object:
        return cls(tag="x", date="today", mood="good")

    assert audit(Tagged, Dated, method="__init__", run=both).cooperative is True
    assert named(audit(Silent, Dated, method="__init__", run=both)) == [("Silent", 1)]
    assert named(audit(Tagged, Dated, method="__init__", run=more)) == [("Dated", 4)]
    assert "exactly one argument" in str(audit(Tagged, Dated, method="__init__", run=more))
    assert named(audit(Tagged, Narrow, method="__init__", run=both)) == [("Narrow", 4)]
    unasked = audit(Tagged, Dated, method="__init__")
    assert unasked.cooperative is None
    assert "missing" in str(unasked)
    table = mro_table(type("Note", (Tagged, Dated), {}), "__init__", run=both)
    assert [row.added for row in table.rows[1:3]] == [("tag",), ("date",)]


def test_bases_written_in_c() -> None:
    class Loud(dict):
        def update(self, *args: Any, **more: Any) -> None:
            super().update(*args, **more)

    class Late:
        def update(self, *args: Any, **more: Any) -> None:
            super().update(*args, **more)

    def run(cls: Any) -> object:
        return cls().update({"a": 1})

    assert audit(Loud, method="update", run=run).cooperative is True
    shown = audit(dict, Late, method="update", run=run)
    assert named(shown) == [("dict", 3)]
    unshown = audit(dict, Late, method="update", run=None)
    assert unshown.cooperative is None
    assert "its code is not Python" in str(unshown)
    assert audit(OrderedDict, method="__init__").cooperative is None


def test_code_without_source_is_read_from_its_bytecode_as_far_as_that_goes() -> None:
    names: dict[str, Any] = {"Base": Base}
    exec(
        "class Plain:\n    def get_context(self):\n        return super().get_context()\n"
        "class Loop:\n    def get_context(self):\n"
        "        for _ in 'ab':\n            super().get_context()\n        return {}\n"
        "class Named:\n    def get_context(self):\n        return Base.get_context(self)\n"
        "class Never:\n    def get_context(self):\n        return super().get_other()\n",
        names,
    )
    assert audit(names["Plain"], Base, run=None).cooperative is None
    assert audit(names["Plain"], Base).cooperative is True
    assert named(audit(names["Never"], Base, run=None)) == [("Never", 1)]
    assert audit(names["Named"], Base, run=None).cooperative is None
    looped = audit(names["Loop"], Base, run=None)
    assert looped.cooperative is None
    assert "source is not available" in str(looped)


def test_an_unrelated_error_is_a_doubt_not_a_finding() -> None:
    class Failing:
        def get_context(self):
            super().get_context()
            raise ValueError("no database")

    result = audit(Failing, Base)
    assert result.cooperative is None
    assert "the run ended with ValueError in Failing: give run= (no database)" in str(result)


def test_an_error_that_somebody_swallows_is_a_doubt() -> None:
    class Careful:
        def get_context(self):
            try:
                return {**super().get_context(), "careful": 1}
            except AttributeError:
                return {"careful": 1}

    class Buggy:
        def get_context(self):
            return {"buggy": self.no_such_attribute}  # type: ignore[attr-defined]

    result = audit(Careful, Buggy)
    assert result.cooperative is None
    assert "Buggy raised, and a class before it caught that" in str(result)
    assert audit(Careful, Base).cooperative is True
    assert audit(Careful).cooperative is True


def test_a_protocol_with_a_body_of_dots_swallows_the_call() -> None:
    from typing import Protocol

    class Provides(Protocol):
        def get_context(self) -> dict[str, Any]: ...

    class Typed(Provides):
        def get_context(self) -> dict[str, Any]:
            return {**(super().get_context() or {}), "typed": 1}

    assert named(audit(Typed, Base)) == [("Provides", 0)]


def test_class_factories_share_code_and_are_still_told_apart() -> None:
    def made(key: str) -> type:
        class Made:
            def get_context(self):
                return {**super().get_context(), key: 1}

        Made.__name__ = key
        return Made

    cls = type("Concrete", (made("a"), made("b"), Base), {})
    code = vars(cls.__mro__[1])["get_context"].__code__
    rows = [row for row in mro_table(cls, "get_context").rows if row.defines]
    assert [row.added for row in rows] == [("a",), ("b",), ("base",)]
    assert vars(cls.__mro__[1])["get_context"].__code__ is code


def test_a_nested_object_of_the_same_family_does_not_count() -> None:
    class Outer:
        def get_context(self):
            return {"outer": Inner().get_context()}

    class Inner(Good, Base): ...

    result = audit(Outer, Good, Base)
    assert named(result) == [("Outer", 1)]


def test_an_active_profiler_is_put_back() -> None:
    def profiler(*event: object) -> None: ...

    sys.setprofile(profiler)
    try:
        audit(Good, Base)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_a_method_is_called_once_and_init_by_making_the_object() -> None:
    called: list[str] = []

    class Root:
        def __init__(self) -> None:
            called.append("__init__")

        def __call__(self) -> None:
            called.append("__call__")

    mro_table(Root, "__init__")
    assert called == ["__init__"]
    mro_table(Root, "__call__")
    assert called == ["__init__", "__init__", "__call__"]


def test_a_method_that_nobody_has_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no class in the MRO of Base has 'nothing'"):
        mro_table(Base, "nothing")


def test_the_table_as_text() -> None:
    table = mro_table(type("Page", (Good, Base), {}), "get_context")
    assert str(table).splitlines() == [
        "Page.get_context",
        "class   defines it  calls super()  reached  added",
        "------  ----------  -------------  -------  -----",
        "Page    -           -              -",
        "Good    yes         yes            yes      good",
        "Base    yes         no             yes      base",
        "object  -           -              -",
    ]


class TestWhatIsNotSeen:
    """What neither the code nor one run decides is a doubt, and says what would help."""

    def test_a_run_that_raised_inside_a_mixin_blames_nobody(self) -> None:
        class NeedsRequest:
            def get_context(self):
                who = self.request.user  # type: ignore[attr-defined]
                return {**super().get_context(), "user": who}

        result = audit(Good, NeedsRequest, Good2, Base)
        assert result.cooperative is None
        assert "undecided: the run ended with AttributeError in NeedsRequest: give run= (" in str(
            result
        )
        last = audit(Good, NeedsRequest)
        assert named(last) == [("NeedsRequest", 2)]  # by its code
        hidden = type("Hidden", (), {"get_context": functools.cache(lambda self: {})})
        table = audit(NeedsRequest, hidden).table
        assert [row.reached for row in table.rows if row.defines] == ["yes, raised", "cannot tell"]
        told = audit(Good, NeedsRequest, Base, run=lambda cls: cls().get_context())
        assert "AttributeError in NeedsRequest: give another run= (" in str(told)

    def test_arguments_that_nobody_gave_are_no_broken_rule(self) -> None:
        class Passes:
            def page(self, *args):
                return super().page(*args)

        class Wants:
            def page(self, request):
                return {}

        unasked = audit(Passes, Wants, method="page")
        assert unasked.cooperative is None
        assert "the run ended with TypeError in Passes: give run=" in str(unasked)
        wrong = audit(Passes, Wants, method="page", run=lambda cls: cls().page())
        assert named(wrong) == [("Wants", 4)]

    def test_helpers_with_mangled_names(self) -> None:
        class Mangled:
            def __rest(self):
                return super().get_context()

            def get_context(self):
                if not vars(self):
                    return {**self.__rest(), "mangled": 1}
                return {}

        assert audit(Mangled, Base).cooperative is True
        code_only = audit(Mangled, Base, run=None)
        assert code_only.cooperative is None
        assert "through _Mangled__rest()" in str(code_only)

        class Both:
            def __own(self):
                return 1

            def get_context(self):
                return {**super().get_context(), "both": self.__own()}

        assert audit(Both, Base, run=None).cooperative is True

    @pytest.mark.filterwarnings("ignore:coroutine")
    def test_what_runs_later_is_not_said_to_stop(self) -> None:
        class Streaming:
            def get_context(self) -> Iterator[str]:
                yield from super().get_context()

        class Async:
            async def get_context(self):
                return await super().get_context()

        class AsyncStream:
            async def get_context(self):
                async for part in super().get_context():
                    yield part

        class Passes:
            def get_context(self):
                return super().get_context()

        for later in (Streaming, Async, AsyncStream):
            for how in ({}, {"run": None}):
                assert audit(later, Base, **how).cooperative is None
                assert audit(Good, later, Base, **how).cooperative is None
                assert "runs later or never" in str(audit(later, Base, **how))
            called = audit(Passes, later, Base).table.rows[2]
            assert (called.owner, called.reached) == (later, "yes")
            called = audit(Passes, later, Base).table.rows[2]
            assert (called.owner, called.reached) == (later, "yes")

    def test_a_property_with_another_setter_shares_its_getter(self) -> None:
        class Root:
            @property
            def size(self):
                return 1

        class Set(Root):
            size = Root.size.setter(lambda self, value: None)  # type: ignore[attr-defined]

        class ByName(Root):
            @property
            def size(self):
                return Root.size.fget(self) + 1  # type: ignore[attr-defined]

        for how in ({}, {"run": None}):
            assert audit(Set, method="size", **how).cooperative is None
            assert audit(ByName, method="size", **how).cooperative is None
        assert "shares its function" in str(audit(Set, method="size"))

    @pytest.mark.parametrize("call", ["holder.Base", "self.wrapped.__class__"])
    def test_a_class_called_by_a_longer_name(self, call: str) -> None:
        code = f"def get_context(self):\n    return {call}.get_context(self)\n"
        names: dict[str, Any] = {"holder": SimpleNamespace(Base=Base)}
        file = f"<{call}>"
        linecache.cache[file] = (len(code), None, code.splitlines(True), file)
        exec(compile(code, file, "exec"), names)
        by_name = type("ByName", (Base,), {"get_context": names["get_context"], "wrapped": Base()})
        result = audit_cooperation(by_name, "get_context", run=None)
        assert result.cooperative is None
        assert f"it calls {call}.get_context by name" in str(result)
        silent = type("Silent", (), {"get_context": lambda self: {}})
        assert named(audit(by_name, silent, Base, run=None)) == []


def test_of_a_run_that_was_not_seen_the_code_is_all_that_is_known() -> None:
    """Another thread made it, or a cache had the answer."""

    class Root:
        @property
        def size(self):
            return 1

        @classmethod
        def names(cls):
            return {}

        @functools.cached_property
        def kept(self):
            return {}

        def get_context(self):
            return {}

    class Seen(Root):
        @property
        def size(self):
            return super().size + 1

        @classmethod
        @functools.cache
        def names(cls):
            return super().names()

        @functools.cached_property
        def kept(self):
            return super().kept

        def get_context(self):
            return super().get_context()

    runs: dict[str, Any] = {
        "size": lambda cls: cls().size,
        "kept": lambda cls: cls().kept,
        "names": lambda cls: cls.names(),
        "get_context": lambda cls: cls().get_context(),
    }
    for method, run in runs.items():
        with ThreadPoolExecutor(1) as pool:
            result = audit_cooperation(
                Seen, method, run=lambda cls, run=run, pool=pool: pool.submit(run, cls).result()
            )
        assert result.cooperative is True
        assert [row.reached for row in result.table.rows if row.defines] == ["not run"] * 2
    again = audit_cooperation(Seen, "names")
    assert again.cooperative is True
    assert again.table.rows[0].reached == "not run"


def test_overriding_is_worded_apart_from_dropping_a_sibling() -> None:
    class Replaces(Base):
        def get_context(self):
            return {"replaced": 1}

    alone = audit(Replaces)
    assert named(alone) == [("Replaces", 1)]
    assert "it does not call super(), and it overrides what it has from Base" in str(alone)
    assert alone.findings[0].drops == ()
    beside = audit(Replaces, type("Other", (Good, Base), {}))
    assert "no class asks Good, Base" in str(beside)
    assert beside.findings[0].drops == (Good,)


def test_a_wrapper_that_swallows_behind_one_that_asks_first() -> None:
    def swallow(function: Any) -> Any:
        return functools.wraps(function)(lambda self: {})

    class Polite:
        def get_context(self):
            return super().get_context() if hasattr(super(), "get_context") else {}

    class Swallowed:
        @swallow
        def get_context(self):
            return super().get_context()

    assert named(audit(Polite, Swallowed, Base)) == [("Swallowed", 1)]


def test_an_argument_that_is_called_like_a_class_is_none() -> None:
    class Shadow:
        def get_context(self, Base=None):  # noqa: N803
            return {} if Base is None else Base.get_context()

    assert named(audit(Shadow, Good, Base, run=None)) == [("Shadow", 1)]


def test_a_protocol_that_allows_no_subclass_checks() -> None:
    from typing import Protocol

    class Sized(Protocol):
        size: int

        def get_context(self) -> dict[str, Any]: ...

    class Silent:
        def get_context(self):
            return {}

    class Typed(Sized):
        def get_context(self):
            return {}

    assert named(audit(Silent, Typed, run=None)) == [("Silent", 1), ("Typed", 1)]
    assert named(audit(Silent, Typed, run=None, base=Silent)) == [("Silent", 3), ("Typed", 1)]


def test_of_two_lambdas_on_a_line_the_one_that_names_the_same_is_read() -> None:
    class Pair:
        get_context, get_name = (lambda self: super().get_context()), (lambda self: self.name)  # type: ignore[misc]

    alone = audit(Pair, Base, run=None)
    assert alone.cooperative, alone


def test_an_object_that_says_it_is_equal_is_another_all_the_same() -> None:
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

        def get(self) -> dict[str, int]:
            return {}

    class Asks(Equal):
        def get(self, again: bool = True) -> dict[str, int]:
            if again:
                Asks().get(again=False)
            return super().get()

    visits = watch(Asks, "get", lambda cls: cls().get()).visits
    assert [visit.owner for visit in visits] == [Asks, Equal]


def test_what_a_classmethod_sets_on_its_class_is_what_it_added() -> None:
    class Base:
        @classmethod
        def register(cls) -> None:
            cls.seen = True  # type: ignore[attr-defined]

    class Names(Base):
        @classmethod
        def register(cls) -> None:
            super().register()
            cls.name = "n"  # type: ignore[attr-defined]

    visits = watch(Names, "register", lambda _: Names.register()).visits
    assert [(visit.owner, visit.added) for visit in visits] == [
        (Names, ("name",)),
        (Base, ("seen",)),
    ]
