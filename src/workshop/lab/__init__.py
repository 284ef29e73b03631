"""How `make lab` sets JupyterLab up: overrides.json beside this, and what its log leaves out."""

from __future__ import annotations

import logging


class ClosedPages(logging.Filter):
    """Leaves out the traceback of each request to a page whose server ended with its kernel.

    A page in an output (notebook 03) asks a few times more; jupyter-server-proxy logs 20 lines
    for each. That it failed is still logged, in one line.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, ConnectionRefusedError) and "/proxy/" in record.getMessage())
