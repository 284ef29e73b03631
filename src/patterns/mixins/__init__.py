"""Mixins that fill one dictionary, the tools that check them, and the way without them.

What a reader takes home: `CooperativeContext` (inheritance that cannot lose a key) and
`ContextProviders` (no inheritance). The tools: `mro_table`, `audit_cooperation`,
`try_every_order`, `linearize`. The idea and the rules are David Wolever's,
"The Sadness of Python's super()" (2014).
"""

from .audit import (
    Audit,
    Finding,
    MroTable,
    audit_cooperation,
    mro_table,
)
from .c3 import Linearization, linearize
from .contexts import BrokenRule, CooperativeContext
from .orders import Orders, Outcome, every_subset, try_every_order
from .providers import (
    Context,
    ContextProviders,
    KeyConflict,
    Later,
    MalformedContext,
)

__all__ = [
    "Audit",
    "BrokenRule",
    "Context",
    "ContextProviders",
    "CooperativeContext",
    "Finding",
    "KeyConflict",
    "Later",
    "Linearization",
    "MalformedContext",
    "MroTable",
    "Orders",
    "Outcome",
    "audit_cooperation",
    "every_subset",
    "linearize",
    "mro_table",
    "try_every_order",
]
