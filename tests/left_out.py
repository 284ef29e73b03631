"""Loaded before all else: what the processes of a test run need not import.

nbformat imports jsonschema, which builds a grammar of all internationalized addresses if it can.
That takes each process longer than all other imports of pytest, and no notebook has such an
address to check.
"""

from __future__ import annotations

import sys
from typing import Any

modules: dict[str, Any] = vars(sys)["modules"]
modules.setdefault("rfc3987_syntax", None)
