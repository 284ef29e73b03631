"""Starts a notebook's kernel once more if it died while it started, as JupyterLab does.

Its ports are chosen before it has them; whoever makes a connection meanwhile may be given one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("nbval", False):
        from nbval import kernel

        kernel.start_new_kernel = twice(kernel.start_new_kernel)


def twice(start: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; what it raises when a kernel died is raised the second time only."""

    def started(*given: Any, **options: Any) -> Any:
        try:
            return start(*given, **options)
        except RuntimeError:
            return start(*given, **options)

    return started
