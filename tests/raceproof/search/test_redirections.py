"""Standard streams and warnings that a client redirects are its own, as in a process."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from typing import Any

import pytest
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import Report, Unsearchable, Violation, explore


def everything() -> list[Any]:
    shows = warnings.showwarning, vars(warnings).get("_showwarnmsg_impl")
    return [sys.stdin, sys.stdout, sys.stderr, warnings.filters, *shows]


def searched(client, check=nothing_to_check, **how) -> Report:
    return explore(world=memory, clients={"a": client, "b": client}, check=check, **how)


def prints(world: Memory) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print("one")
        world.cells.read("x")
        print("two")
    if out.getvalue() != "one\ntwo\n":
        world.cells.write("wrong", 1)
    world.cells.write("done", 1)


def prints_for_ever(world: Memory) -> None:
    sys.stdin = sys.stdout = io.StringIO()
    warnings.showwarning = lambda *_: None
    world.cells.write("done", 1)
    warnings.filters = warnings.filters[:]
    sys.stderr = io.StringIO()


def nothing_wrong(world: Memory) -> None:
    if world.cells.numbers.get("wrong"):
        raise Violation("another's lines")


@pytest.mark.parametrize("client", [prints, prints_for_ever])
@pytest.mark.parametrize("how", [{}, {"crashes": 1}, {"merge": False}])
def test_each_has_its_own_and_everything_is_as_before(client, how, capsys):
    before = everything()
    assert searched(client, nothing_wrong, **how).verdict == "holds"
    assert everything() == before
    assert capsys.readouterr().out == ""


def test_the_search_and_its_checks_print_where_they_did(capsys):
    def check(world: Memory) -> None:
        print("looked at")

    searched(prints, check)
    assert "looked at" in capsys.readouterr().out


def warns(world: Memory) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("mine", stacklevel=1)
        world.cells.read("x")
        warnings.warn("mine, too", stacklevel=1)
    if len(caught) != 2:
        world.cells.write("wrong", 1)
    world.cells.write("done", 1)


def test_each_catches_its_own_warnings():
    before = everything()
    assert searched(warns, nothing_wrong).verdict == "holds"
    assert everything() == before
    with pytest.warns(UserWarning, match="after"):
        warnings.warn("after", stacklevel=1)


def careless(world: Memory) -> None:
    world.cells.read("y")
    warnings.warn("no error", stacklevel=1)
    world.cells.write("y", 1)


def test_a_warning_is_an_error_only_for_who_made_it_one():
    def strict(world: Memory) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            world.cells.read("x")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clients = {"strict": strict, "careless": careless}
        found = explore(world=memory, clients=clients, check=nothing_to_check)
    assert found.verdict == "holds"


def test_what_python_remembers_of_a_warning_is_of_other_filters():
    def warn() -> None:
        warnings.warn("of both", stacklevel=1)

    def strict(world: Memory) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            world.cells.read("x")
            with contextlib.suppress(UserWarning):
                warn()
                world.cells.write("wrong", 1)

    def careless(world: Memory) -> None:
        world.cells.read("y")
        warn()

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("default")
        clients = {"strict": strict, "careless": careless}
        explore(world=memory, clients=clients, check=nothing_wrong).assert_holds()


def test_a_warning_that_is_shown_once_is_not_shown_again_for_a_search():
    def warn_once() -> None:
        warnings.warn("again", stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        warn_once()
        searched(lambda world: world.cells.read("x"))
        warn_once()
    assert len(caught) == 1


def test_a_filter_that_a_client_adds_for_good_is_its_own():
    def strict(world: Memory) -> None:
        warnings.simplefilter("error")
        world.cells.read("x")
        world.cells.write("x", 1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = warnings.filters[:]
        clients = {"strict": strict, "careless": careless}
        explore(world=memory, clients=clients, check=nothing_to_check).assert_holds()
        assert warnings.filters == before


def test_a_search_that_is_refused_leaves_everything_as_before():
    def refused(world: Memory) -> None:
        sys.stdout = io.StringIO()
        world.cells.read("x")
        raise Unsearchable("this cannot be searched")

    before = everything()
    with pytest.raises(Unsearchable):
        searched(refused)
    assert everything() == before
