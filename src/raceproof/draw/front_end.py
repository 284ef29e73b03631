"""Whether somebody watches, from the variables that a front end sets for its kernels."""

from __future__ import annotations

import os


def live_front_end() -> bool:
    """Whether somebody watches this kernel in a Jupyter front end, rather than a test or a build.

    JPY_SESSION_NAME is set by a Jupyter server for its kernels, PYTEST_VERSION by pytest.
    """
    return bool(os.environ.get("JPY_SESSION_NAME")) and not os.environ.get("PYTEST_VERSION")
