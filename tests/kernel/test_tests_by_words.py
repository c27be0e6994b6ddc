"""Tests by voice in a real kernel without a browser: chosen by name, told of, saved as a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_kernel import RealKernel, shown


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".env").write_text(f"VOICE_KERNEL_LOG_DIR={folder / 'logs'}\n")
    tests = "def test_login_works(): pass\n\ndef test_login():\n    assert 1 == 2, 'numbers differ'\n"
    (folder / "tests").mkdir()
    (folder / "tests" / "test_app.py").write_text(tests)
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture(scope="module")
def assistant(project: Path) -> Iterator[RealKernel]:
    kernel = RealKernel(project)
    kernel.execute("%load_ext voice_kernel").expect_ok()
    yield kernel
    kernel.stop()


def test_one_test_runs_by_the_name_that_is_spoken(assistant: RealKernel) -> None:
    cell = assistant.execute("%voice run the test login works").expect_ok()
    assert "1 passed" in shown(cell)


def test_a_failing_test_is_placed_where_there_is_no_editor(assistant: RealKernel) -> None:
    assistant.execute("%voice run the tests")
    cell = assistant.execute("%voice open the failing test").expect_ok()
    assert "test_login failed at tests/test_app.py:4." in shown(cell)


def test_the_report_is_saved_under_the_name_that_is_spoken(assistant: RealKernel, project: Path) -> None:
    assistant.execute("%voice run the tests")
    assistant.execute("%voice save the test report as report dot xml").expect_ok()
    assert '<testcase classname="tests.test_app" name="test_login"' in (project / "report.xml").read_text()
