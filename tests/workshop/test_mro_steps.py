"""The merge, a step at a time, gives what Python gives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.mro_steps import linearize


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_it_agrees_with_python(data: st.DataObject) -> None:
    classes: list[type] = []
    for number in range(data.draw(st.integers(1, 6))):
        bases = data.draw(st.permutations(classes))[: data.draw(st.integers(0, 3))]
        merged = linearize(f"C{number}", *bases)
        try:
            made = type(f"C{number}", tuple(bases), {})
        except TypeError:
            assert merged.order is None
            assert merged.steps[-1].taken is None
            continue
        assert merged.order == made.__mro__[1:]
        assert [step.taken for step in merged.steps] == list(made.__mro__[1:])
        classes.append(made)


def test_a_base_before_its_subclass_is_explained() -> None:
    class Base: ...

    class Page(Base): ...

    assert str(linearize("Wrong", Base, Page)).splitlines() == [
        "class Wrong(Base, Page)",
        "  1. merge [Base, object] + [Page, Base, object] + [Base, Page]",
        "      Base waits: it stands behind Page in [Page, Base, object]",
        "      Page waits: it stands behind Base in [Base, Page]",
        "      no class can be taken: no MRO",
        "Wrong has no MRO: Python raises TypeError",
    ]


def test_the_same_base_twice_has_no_order() -> None:
    class Base: ...

    assert linearize("Twice", Base, Base).order is None
