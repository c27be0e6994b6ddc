"""Real kernels for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_kernel import RealKernel


@pytest.fixture(scope="module")
def kernel_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKernel]:
    """One kernel for the tests of a module."""
    kernel = RealKernel(tmp_path_factory.mktemp("kernel"))
    yield kernel
    kernel.stop()


@pytest.fixture
def kernel(kernel_process: RealKernel) -> RealKernel:
    """A kernel with `door`, `loop` and `run` in its namespace; a new one if a test broke the last."""
    if not kernel_process.is_idle:
        kernel_process.stop()
        kernel_process.start()
    return kernel_process


@pytest.fixture
def new_kernel(tmp_path: Path) -> Iterator[RealKernel]:
    """A kernel of the test's own."""
    kernel = RealKernel(tmp_path)
    yield kernel
    kernel.stop()
