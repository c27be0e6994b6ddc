"""run_tests against real projects, each run by a real pytest in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from pathlib import Path

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.messages import Task, TestReport
from voice_kernel.tools import testing
from voice_kernel.tools.testing import run as run_module
from voice_kernel.tools.testing.project import interpreter
from voice_kernel.tools.testing.selection import keyword_expression, resolve_path

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def registered(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    testing.register(bench.registry, cwd=bench.cwd)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def write(bench: Workbench, **files: str) -> None:
    """Write files of a project, `__` in a name standing for `/`."""
    (bench.folder / "pyproject.toml").touch()
    for name, text in files.items():
        path = bench.folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def report_of(task: Task) -> TestReport:
    assert task.result is not None
    assert task.result.tests is not None
    return task.result.tests


MIXED = """
    import pytest

    def helper(value):
        assert value == 2, "values differ"

    def test_good():
        pass

    def test_login():
        print("some output")
        helper(1)

    @pytest.mark.skip(reason="later")
    def test_later():
        pass

    @pytest.mark.xfail
    def test_known():
        assert False

    @pytest.fixture
    def broken():
        raise ValueError("no database")

    def test_fixture(broken):
        pass
"""


def test_passing_tests_succeed_and_are_counted(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\ndef test_two(): pass\n")
    task = bench.call("run_tests")
    assert task.state == "succeeded"
    assert task.result is not None
    assert task.result.summary.startswith("2 passed in ")
    assert [case.id for case in report_of(task).cases] == ["test_a.py::test_one", "test_a.py::test_two"]
    assert "2 passed" in bench.output


def test_failures_come_with_their_place_and_reason(bench: Workbench) -> None:
    write(bench, tests__test_login=MIXED)
    task = bench.call("run_tests", path="tests")
    report = report_of(task)
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TestsFailed"
    expected = "1 passed, 1 failed, 1 error, 1 skipped, 1 expected to fail: test_login, test_fixture"
    assert task.problem.message == expected
    assert (report.passed, report.failed, report.errors, report.skipped) == (1, 1, 1, 2)
    first, second = report.cases[:2]
    assert (first.id, first.outcome) == ("tests/test_login.py::test_login", "failed")
    assert (first.file, first.line) == ("tests/test_login.py", 5)
    assert first.message.startswith("AssertionError: values differ")
    assert "some output" in first.detail or "helper(1)" in first.detail
    assert (second.outcome, second.message) == ("error", "ValueError: no database")
    assert [case.outcome for case in report.cases[2:]] == ["passed", "skipped", "xfailed"]
    assert next(case for case in report.cases if case.outcome == "skipped").message == "Skipped: later"


def test_a_failure_in_a_library_is_placed_in_the_project(bench: Workbench) -> None:
    write(bench, test_a="import json\n\ndef test_json():\n    json.loads('{')\n")
    first = report_of(bench.call("run_tests")).cases[0]
    assert (first.file, first.line) == ("test_a.py", 4)
    assert first.message.startswith("json.decoder.JSONDecodeError: Expecting property name")


def test_a_message_is_without_the_colours_of_a_comparison(bench: Workbench) -> None:
    write(bench, test_login="def test_login():\n    assert 'a' == 'b', 'names differ'\n")
    first = report_of(bench.call("run_tests")).cases[0]
    assert first.message.startswith("AssertionError: names differ")
    assert "\x1b" not in first.message


def test_progress_counts_tests_as_they_end(bench: Workbench) -> None:
    write(
        bench,
        test_a="""
            import pathlib, pytest, time

            def wait_for(name):
                while not pathlib.Path(name).exists():
                    time.sleep(0.01)

            wait_for("collecting tests")

            @pytest.mark.parametrize("n", range(3))
            def test_n(n):
                wait_for(f"{n} of 3" + (", 1 failed" if n > 1 else ""))
                assert n != 1
        """,
    )

    async def step_by_step() -> None:
        running = asyncio.ensure_future(bench.start("run_tests"))
        async with asyncio.timeout(LIMIT_S):
            while not running.done():
                for progress in bench.progress:
                    (bench.folder / progress.label).touch()
                await asyncio.sleep(0.01)

    asyncio.run(step_by_step())
    labels = [progress.label for progress in bench.progress]
    steps = ["collecting tests", "0 of 3", "1 of 3", "2 of 3, 1 failed", "3 of 3, 1 failed"]
    assert list(dict.fromkeys(labels)) == steps
    fractions = [progress.fraction for progress in bench.progress if progress.fraction is not None]
    assert fractions == sorted(fractions)


def test_tests_spread_over_workers_are_counted_the_same(bench: Workbench) -> None:
    pytest.importorskip("xdist")
    write(bench, tests__test_login=MIXED)
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = -n 2\n")
    task = bench.call("run_tests")
    report = report_of(task)
    assert (report.passed, report.failed, report.errors, report.skipped) == (1, 1, 1, 2)
    failed = next(case for case in report.cases if case.outcome == "failed")
    assert (failed.file, failed.line) == ("tests/test_login.py", 5)
    assert bench.progress[-1].label.startswith("5 of 5")


def test_tests_run_in_parallel_where_that_is_asked_for(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "2")  # also where there is but one core
    write(
        bench,
        test_a="""
            import pathlib, pytest, time

            @pytest.mark.parametrize("name", ["one", "two"])
            def test_meets_the_other(name):
                pathlib.Path(name).touch()
                end = time.monotonic() + 60
                while not (pathlib.Path("one").exists() and pathlib.Path("two").exists()):
                    assert time.monotonic() < end, "the other test did not run beside this one"
        """,
    )
    task = bench.call("run_tests", parallel=True)
    assert report_of(task).passed == 2, bench.output
    last = bench.progress[-1]
    assert (last.fraction, last.done, last.total, last.unit) == (1.0, 2, 2, "tests")


def test_a_worker_of_parallel_tests_that_dies_is_told_with_its_test(bench: Workbench) -> None:
    write(bench, test_a="import os\ndef test_one(): pass\ndef test_two(): os._exit(3)\n")
    task = bench.call("run_tests", parallel=True)
    assert task.problem is not None
    assert task.problem.kind == "TestsFailed"
    report = report_of(task)
    assert report.passed == 1
    assert [case.id for case in report.cases if case.outcome == "error"] == ["test_a.py::test_two"]


def test_without_xdist_parallel_tests_say_what_to_install(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:xdist\n")
    task = bench.call("run_tests", parallel=True)
    assert task.problem is not None
    assert task.problem.message == "pytest-xdist, which runs tests in parallel, is not installed here."
    assert task.problem.hint == "Install it with: %pip install pytest-xdist"


def test_a_keyword_chooses_tests(bench: Workbench) -> None:
    write(bench, test_a="def test_data_loader(): pass\ndef test_parser(): pass\ndef test_other(): pass\n")
    assert report_of(bench.call("run_tests", keyword="parser")).passed == 1
    assert report_of(bench.call("run_tests", keyword="data loader")).passed == 1
    assert report_of(bench.call("run_tests", keyword="parser or other")).passed == 2


@pytest.mark.parametrize(
    ("keyword", "expression"),
    [
        ("parser", "parser"),
        ("data loader", "data_loader or (data and loader)"),
        ("parser and not slow", "parser and not slow"),
        ("not slow", "not slow"),
        ("test_a[1-x]", "test_a[1-x]"),
        ("--pdb", "pdb"),
        ("a; b", "a_b or (a and b)"),
        ("and", "nothing_that_could_match"),
        ('x" or "y', "x_y or (x and y)"),
    ],
)
def test_a_keyword_is_never_taken_for_anything_else(keyword: str, expression: str) -> None:
    assert keyword_expression(keyword) == expression


def test_a_keyword_without_match_says_so(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    task = bench.call("run_tests", keyword="nothing")
    assert task.problem is not None
    assert (task.problem.kind, task.problem.message) == ("NoTests", "No test matches 'nothing'.")


def test_only_the_tests_that_failed_run_again(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\ndef test_two(): assert 0\n")
    bench.call("run_tests")
    report = report_of(bench.call("run_tests", failed_only=True))
    assert (report.passed, report.failed) == (0, 1)


def test_with_no_failure_to_run_again_nothing_runs(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    bench.call("run_tests")
    task = bench.call("run_tests", failed_only=True)
    assert task.problem is not None
    assert task.problem.message == "No test failed last time, so there is nothing to run again."


def test_a_project_without_cache_says_why_it_cannot_choose(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    assert bench.call("run_tests").state == "succeeded"
    task = bench.call("run_tests", failed_only=True)
    assert task.problem is not None
    assert "does not remember which tests failed" in task.problem.message


def test_a_single_test_can_be_named(bench: Workbench) -> None:
    write(bench, tests__test_a="def test_one(): pass\ndef test_two(): assert 0\n")
    report = report_of(bench.call("run_tests", path="tests/test_a.py::test_one"))
    assert (report.passed, report.failed) == (1, 0)


def test_a_file_is_found_by_its_name_alone(bench: Workbench) -> None:
    write(bench, tests__unit__test_store="def test_one(): pass\n")
    assert resolve_path(bench.folder, "test_store.py") == "tests/unit/test_store.py"
    assert report_of(bench.call("run_tests", path="test_store.py")).passed == 1


def test_a_missing_path_names_what_is_near(bench: Workbench) -> None:
    write(bench, tests__unit__test_store="def test_one(): pass\n")
    task = bench.call("run_tests", path="tests/unitt")
    assert task.problem is not None
    assert task.problem.message == "There is no file or folder tests/unitt here."
    assert task.problem.hint == "Did you mean tests/unit?"
    assert task.output_bytes == 0


@pytest.mark.parametrize("name", ["--version", "-x.py", "@file"])
def test_a_path_is_never_taken_for_an_option(bench: Workbench, name: str) -> None:
    (bench.folder / name).write_text("def test_one(): pass\n")
    assert resolve_path(bench.folder, name) == f"./{name}"


def test_no_tests_is_said_in_words(bench: Workbench) -> None:
    write(bench, module="x = 1\n")
    task = bench.call("run_tests")
    assert task.problem is not None
    assert task.problem.message == "No tests were found in project."
    assert "test_*.py" in task.problem.hint


def test_a_file_that_cannot_be_collected_is_named_with_the_reason(bench: Workbench) -> None:
    write(bench, test_a="import no_such_module\n", test_b="def test_one(): pass\n")
    task = bench.call("run_tests")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.message == (
        "test_a.py could not be collected: ModuleNotFoundError: No module named 'no_such_module'"
    )
    case = report_of(task).cases[0]
    assert (case.outcome, case.file) == ("error", "test_a.py")


def test_a_broken_conftest_is_said_in_words(bench: Workbench) -> None:
    write(bench, conftest="import no_such_module\n", test_b="def test_one(): pass\n")
    task = bench.call("run_tests")
    assert task.problem is not None
    assert "No module named 'no_such_module'" in task.problem.message


def test_options_that_pytest_does_not_know_are_said_in_words(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    task = bench.call("run_tests")
    assert task.problem is not None
    assert "unrecognized arguments: --no-such-option" in task.problem.message


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os._exit(0)", "pytest ended with exit status 0 while test_a.py::test_two was running"),
        ("os._exit(1)", "pytest ended with exit status 1 while test_a.py::test_two was running"),
        ("os.kill(os.getpid(), 11)", "pytest was ended by SIGSEGV while test_a.py::test_two was running"),
    ],
)
def test_a_test_that_ends_pytest_is_named(bench: Workbench, end: str, said: str) -> None:
    write(bench, test_a=f"import os\ndef test_one(): pass\ndef test_two(): {end}\ndef test_three(): pass\n")
    task = bench.call("run_tests")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TestsCrashed"
    assert task.problem.message == f"{said}, after 1 of 3 tests."
    assert report_of(task).passed == 1


def test_a_hanging_test_can_be_cancelled_and_leaves_nothing(bench: Workbench) -> None:
    write(
        bench,
        test_a="""
            import os, subprocess, time
            def test_hangs():
                child = subprocess.Popen(["sleep", "600"], start_new_session=True)
                open(f"pid-{child.pid}", "w").close()
                time.sleep(600)
        """,
    )

    def hangs() -> bool:
        return bool(list(bench.folder.glob("pid-*")))

    task = asyncio.run(bench.call_and_cancel(hangs, "run_tests"))
    assert task.state == "cancelled"
    pid = int(next(bench.folder.glob("pid-*")).name.removeprefix("pid-"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_subtests_that_fail_are_told_apart(bench: Workbench) -> None:
    write(
        bench,
        test_a="""
            import unittest
            class TestSub(unittest.TestCase):
                def test_many(self):
                    for n in range(3):
                        with self.subTest(n=n):
                            self.assertNotEqual(n, 1)
        """,
    )
    task = bench.call("run_tests")
    assert task.state == "failed"
    assert any("n" in case.id.partition("[")[2] for case in report_of(task).cases)


def test_the_project_environment_is_used_when_it_has_pytest(bench: Workbench) -> None:
    write(bench, test_a="import sys\ndef test_one(): assert 'mark-of-venv' in sys.argv or True\n")
    site = bench.folder / ".venv" / "lib" / "python3.11" / "site-packages" / "pytest"
    site.mkdir(parents=True)
    python = bench.folder / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\ntouch used\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    inner = bench.folder / "inner"
    inner.mkdir()
    assert interpreter(inner).python == python  # a notebook in a folder of the project
    assert bench.call("run_tests").state == "succeeded"
    assert (bench.folder / "used").exists()


def test_an_environment_without_pytest_is_not_used(bench: Workbench) -> None:
    write(bench)
    (bench.folder / ".venv" / "bin").mkdir(parents=True)
    (bench.folder / ".venv" / "bin" / "python").touch()
    assert interpreter(bench.folder).python == Path(sys.executable)


def test_keys_do_not_reach_the_tests(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-value")
    write(bench, test_a="import os\ndef test_one(): assert 'OPENAI_API_KEY' not in os.environ\n")
    assert bench.call("run_tests").state == "succeeded"


def test_many_tests_are_counted_and_only_some_are_listed(bench: Workbench) -> None:
    write(
        bench,
        test_a="import pytest\n@pytest.mark.parametrize('n', range(700))\ndef test_n(n): assert n >= 300\n",
    )
    task = bench.call("run_tests")
    report = report_of(task)
    assert (report.passed, report.failed) == (400, 300)
    assert len(report.cases) == run_module.MAX_FAILURES + run_module.MAX_OTHERS
    assert report.cases[0].outcome == "failed"
    assert task.problem is not None
    assert task.problem.message.endswith("test_n[0], test_n[1], test_n[2] and 297 more")
