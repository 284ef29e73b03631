"""A family of mixins that loses no key, the tools that say who would, and the way without them."""

import pytest
from taken_home.mixins import (
    BrokenRule,
    ContextProviders,
    CooperativeContext,
    audit_cooperation,
    mro_table,
    try_every_order,
)


class WithUser(CooperativeContext):
    def get_context(self):
        return super().get_context() | {"user": "ann"}


class WithCart(CooperativeContext):
    def get_context(self):
        return super().get_context() | {"cart": 2}


class Page(WithUser, WithCart):
    pass


assert Page().get_context() == {"user": "ann", "cart": 2}
assert audit_cooperation(Page, "get_context").cooperative
assert "WithCart" in str(mro_table(Page, "get_context"))
assert try_every_order([WithUser, WithCart], "get_context").holds
assert try_every_order([CooperativeContext, WithCart], "get_context").counts == {
    "complete": 1,
    "no MRO": 1,
}


with pytest.raises(BrokenRule, match="Forgets breaks rule 1"):

    class Forgets(CooperativeContext):
        def get_context(self):
            return {"user": "ann"}


def user(page):
    return {"user": page}


assert dict(ContextProviders(user).collect("ann")) == {"user": "ann"}
