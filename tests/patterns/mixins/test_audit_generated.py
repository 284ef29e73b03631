"""The audit against running: on generated hierarchies, no false alarm and no miss."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.patterns.mixins.hierarchies import (
    BRANCH,
    CALLS,
    DECORATORS,
    METHOD,
    POLITE,
    STOPS,
    STYLES,
    Plan,
    World,
    complete,
)

from patterns.mixins import audit_cooperation, mro_table

many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
calling = st.sampled_from(sorted(CALLS))
stopping = st.sampled_from(sorted(STOPS))
decorators = st.sampled_from(DECORATORS)


@st.composite
def hierarchies(draw: st.DrawFn, styles: list[str]) -> World:
    """Up to five classes on one another in any way, and one that takes some as its bases."""
    plans: list[Plan] = []
    for number in range(draw(st.integers(1, 5))):
        style = draw(st.none() | st.sampled_from(styles))
        names = [plan.name for plan in plans]
        bases = draw(st.permutations(names))[: draw(st.integers(0, min(2, number)))]
        plans.append(Plan(f"Class{number}", style, draw(decorators), tuple(bases)))
    names = [plan.name for plan in plans]
    bases = draw(st.permutations(names))[: draw(st.integers(1, len(names)))]
    return World([*plans, Plan("Concrete", None, "", tuple(bases))], draw(st.booleans()))


def built(world: World) -> type:
    try:
        cls = world.build()
    except TypeError:
        assume(False)
    assume(any(METHOD in vars(owner) for owner in cls.__mro__))
    return cls


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("bases", [(), ("Base",)])
def test_each_style(style: str, bases: tuple[str, ...]) -> None:
    cls = World([Plan("Base", "never"), Plan("Mixin", style, "", bases)]).build()
    seen = audit_cooperation(cls, METHOD).cooperative
    read = audit_cooperation(cls, METHOD, run=None).cooperative
    if style in BRANCH:
        assert seen in (complete(cls), None)
        assert read is None
    else:
        assert seen is read is complete(cls)


@many
@given(hierarchies([*CALLS, *POLITE, *STOPS]))
def test_code_and_run_together_decide_and_are_right(world: World) -> None:
    cls = built(world)
    audit = audit_cooperation(cls, METHOD)
    if world.with_source:
        assert audit.cooperative is complete(cls), f"{audit}\n{audit.table}"
    else:
        assert audit.cooperative in (complete(cls), None)


@many
@given(hierarchies(list(STYLES)))
def test_code_alone_is_right_where_it_decides(world: World) -> None:
    cls = built(world)
    audit = audit_cooperation(cls, METHOD, run=None)
    assert audit.cooperative in (complete(cls), None), f"{audit}\n{audit.table}"
    plain = all(plan.style is None or plan.style not in BRANCH for plan in world.plans)
    if world.with_source and plain:
        assert audit.cooperative is not None, f"{audit}\n{audit.table}"


@many
@given(hierarchies(list(STYLES)))
def test_branches_are_told_from_what_was_seen(world: World) -> None:
    cls = built(world)
    audit = audit_cooperation(cls, METHOD)
    assert audit.cooperative in (complete(cls), None), f"{audit}\n{audit.table}"


@many
@given(hierarchies([*CALLS, *POLITE, *STOPS, *BRANCH]))
def test_the_table_says_who_was_reached_and_what_it_added(world: World) -> None:
    cls = built(world)
    try:
        context = cls().get_context()
    except AttributeError:
        assume(False)
    rows = [row for row in mro_table(cls, METHOD).rows if row.defines]
    assert {row.owner.__name__ for row in rows if row.reached == "yes"} == set(context)
    assert all(row.added == (row.owner.__name__,) for row in rows if row.reached == "yes")


@st.composite
def one_rule_broken(draw: st.DrawFn) -> tuple[World, str, int]:
    """A hierarchy that follows the rules, except that one class breaks one of them."""
    inherits = draw(st.booleans())
    count = draw(st.integers(1, 4))
    rule = draw(st.sampled_from([1, 2] if inherits else [1, 2, 3]))
    victim = draw(st.integers(0, count - 1))
    plans = []
    base_style = draw(calling) if rule == 2 else draw(stopping)
    plans.append(Plan("Base", base_style, draw(decorators)))
    for number in range(count):
        style = draw(stopping) if rule == 1 and number == victim else draw(calling)
        under = ("Base",) if inherits else ()
        plans.append(Plan(f"Mixin{number}", style, draw(decorators), under))
    order = draw(st.permutations([plan.name for plan in plans[1:]]))
    at = draw(st.integers(0, count - 1)) if rule == 3 else count
    bases = [*order[:at], "Base", *order[at:]]
    plans.append(Plan("Concrete", None, "", tuple(bases)))
    guilty = f"Mixin{victim}" if rule == 1 else "Base"
    return World(plans), guilty, rule


@many
@given(one_rule_broken(), st.booleans(), st.booleans())
def test_one_broken_rule_is_named_with_its_class(
    case: tuple[World, str, int], told: bool, running: bool
) -> None:
    world, guilty, rule = case
    cls = world.build()
    base = world.classes["Base"] if told else None
    more = {} if running else {"run": None}
    audit = audit_cooperation(cls, METHOD, base=base, **more)
    named = [(finding.owner.__name__, finding.rule) for finding in audit.findings]
    assert named == [(guilty, rule)], f"{audit}\n{audit.table}"
