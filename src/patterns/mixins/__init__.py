"""Mixins that fill one dictionary, the tools that check them, and the way without them.

What a reader takes home: `CooperativeContext` (inheritance that cannot lose a key) and
`ContextProviders` (no inheritance). The tools: `mro_table`, `audit_cooperation`,
`try_every_order`. The idea is David Wolever's, "The Sadness of Python's super()" (2014).
"""

from .audit import ChainAudit, MroRow, MroTable, audit_cooperation, mro_table
from .contexts import BrokenRule, CooperativeContext
from .orders import OrderResult, Orders, every_subset, try_every_order
from .providers import Context, ContextProviders, KeyConflict, Later, MalformedContext
from .rules import BrokenLink

__all__ = [
    "BrokenLink",
    "BrokenRule",
    "ChainAudit",
    "Context",
    "ContextProviders",
    "CooperativeContext",
    "KeyConflict",
    "Later",
    "MalformedContext",
    "MroRow",
    "MroTable",
    "OrderResult",
    "Orders",
    "audit_cooperation",
    "every_subset",
    "mro_table",
    "try_every_order",
]
