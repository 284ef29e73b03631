from __future__ import annotations

from typing import Any

import pytest
from nbval import kernel
from tests import kernel_start


def dies(times: int) -> Any:
    left = [times]

    def start(name: str, *, cwd: str) -> tuple[str, str]:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("Kernel died before replying to kernel_info")
        return name, cwd

    return start


def test_a_kernel_that_died_once_is_started_again_with_the_same_arguments() -> None:
    assert kernel_start.twice(dies(1))("python", cwd="here") == ("python", "here")


def test_a_kernel_that_dies_each_time_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="Kernel died"):
        kernel_start.twice(dies(2))("python", cwd="here")


@pytest.mark.parametrize("runs_notebooks", [True, False])
def test_nbval_starts_its_kernels_like_this_when_it_runs_notebooks(
    runs_notebooks: bool, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(kernel, "start_new_kernel", dies(1))
    monkeypatch.setattr(pytestconfig.option, "nbval", runs_notebooks)
    kernel_start.pytest_configure(pytestconfig)
    if runs_notebooks:
        assert kernel.start_new_kernel("python", cwd="here") == ("python", "here")
    else:
        with pytest.raises(RuntimeError, match="Kernel died"):
            kernel.start_new_kernel("python", cwd="here")
