"""Choosing, watching, measuring and reporting tests, with real projects, real git and a real pytest."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.messages import CellReply, OpenFile, Task, TestReport
from voice_kernel.task.runner import TaskHandle
from voice_kernel.tools import testing
from voice_kernel.tools.testing import changes, watching
from voice_kernel.tools.testing.project import interpreter, named
from voice_kernel.tools.testing.selection import marker_expression

pytestmark = pytest.mark.usefixtures("registered")


class Editor:
    """Stands for the front end: notes what it is to open."""

    def __init__(self) -> None:
        self.opened: list[OpenFile] = []
        self.problem: ToolError | None = None

    async def open(self, file: OpenFile, task: TaskHandle) -> CellReply:
        if self.problem is not None:
            raise self.problem
        self.opened.append(file)
        return CellReply(id=1, text=file.path)


@pytest.fixture
def editor() -> Editor:
    return Editor()


@pytest.fixture
def registered(bench: Workbench, editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    testing.register(
        bench.registry,
        cwd=bench.cwd,
        open_file=editor.open,
        notebook_folder=lambda: bench.folder / "notebooks",
    )
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def write(bench: Workbench, **files: str) -> None:
    """Write files of a project, `__` in a name standing for `/`."""
    (bench.folder / "pyproject.toml").touch()
    for name, text in files.items():
        path = bench.folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def git(bench: Workbench, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=bench.folder, check=True, capture_output=True)


def committed(bench: Workbench) -> None:
    (bench.folder / ".gitignore").write_text("__pycache__\n.pytest_cache\n")
    git(bench, "init", "-q")
    git(bench, "add", ".")
    git(bench, "commit", "-q", "-m", "first")


def report_of(task: Task) -> TestReport:
    assert task.result is not None
    assert task.result.tests is not None
    return task.result.tests


def message_of(task: Task) -> str:
    assert task.problem is not None
    return task.problem.message


TWO = """
    import pytest

    @pytest.mark.slow
    def test_login_works():
        pass

    def test_login_works_twice():
        pass
"""
MARKERS = "[pytest]\nmarkers =\n    slow: takes long\n"
FAILING = "def test_good(): pass\n\ndef test_login():\n    user = 'ada'\n    assert user == 'bob'\n"


# ---- choosing -------------------------------------------------------------------------------------


def test_a_marker_chooses_tests(bench: Workbench) -> None:
    write(bench, test_a=TWO)
    (bench.folder / "pytest.ini").write_text(MARKERS)
    slow = report_of(bench.call("run_tests", marker="slow"))
    assert [case.id for case in slow.cases] == ["test_a.py::test_login_works"]
    task = bench.call("run_tests", marker="network")
    assert message_of(task) == "No test has the marker 'network'."


@pytest.mark.parametrize(
    ("said", "expression"),
    [
        ("slow", "slow"),
        ("not slow", "not slow"),
        ("--pdb", "pdb"),
        ("x; y", "x_y"),
        ("", "nothing_that_could_match"),
    ],
)
def test_a_marker_is_never_taken_for_anything_else(said: str, expression: str) -> None:
    assert marker_expression(said) == expression


@pytest.mark.parametrize("said", ["test_login_works", "login works", "login_works"])
def test_one_test_runs_by_its_name_and_not_those_that_begin_so(bench: Workbench, said: str) -> None:
    write(bench, tests__test_a=TWO)
    (bench.folder / "pytest.ini").write_text(MARKERS)
    report = report_of(bench.call("run_tests", test=said))
    assert [case.id for case in report.cases] == ["tests/test_a.py::test_login_works"]


def test_a_test_is_found_in_its_class_and_by_its_sound(bench: Workbench) -> None:
    write(bench, tests__test_a="class TestUser:\n    def test_log_in(self): pass\n")
    assert named(bench.folder, "test_log_in") == ["tests/test_a.py::TestUser::test_log_in"]
    assert named(bench.folder, "TestUser") == ["tests/test_a.py::TestUser"]
    assert report_of(bench.call("run_tests", test="logg in")).passed == 1


def test_a_test_that_does_not_exist_names_what_is_near(bench: Workbench) -> None:
    write(bench, test_a=TWO)
    task = bench.call("run_tests", test="login fails at night")
    assert message_of(task) == "There is no test named login fails at night."
    assert task.problem is not None
    assert "test_login_works" in task.problem.hint


def test_changed_runs_what_imports_a_change_at_any_distance(bench: Workbench) -> None:
    write(
        bench,
        shop____init__="",
        shop__price="def price(): return 2\n",
        shop__cart="from .price import price\n",
        shop__other="x = 1\n",
        tests__test_cart="import shop.cart\ndef test_cart(): pass\n",
        tests__test_other="from shop import other\ndef test_other(): pass\n",
    )
    (bench.folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    committed(bench)
    assert message_of(bench.call("run_tests", changed=True)) == "Nothing has changed since the last commit."
    write(bench, shop__price="def price(): return 3\n", tests__test_new="def test_new(): pass\n")
    (bench.folder / "data.csv").write_text("a\n")
    task = bench.call("run_tests", changed=True)
    assert {case.id for case in report_of(task).cases} == {
        "tests/test_cart.py::test_cart",
        "tests/test_new.py::test_new",
    }
    assert task.result is not None
    assert task.result.text == "Not considered: data.csv."


def test_a_change_that_no_test_imports_says_so(bench: Workbench) -> None:
    write(bench, module="x = 1\n", test_a="def test_one(): pass\n")
    committed(bench)
    write(bench, module="x = 2\n")
    assert message_of(bench.call("run_tests", changed=True)) == "No test imports what has changed: module.py."


def test_a_changed_conftest_concerns_all_tests_below_it(bench: Workbench) -> None:
    write(bench, unit__conftest="", unit__test_a="def test_a(): pass\n", test_b="def test_b(): pass\n")
    committed(bench)
    write(bench, unit__conftest="x = 1\n")
    assert changes._concerned(bench.folder, ["unit/conftest.py"]).tests == ("unit",)
    assert report_of(bench.call("run_tests", changed=True)).passed == 1


def test_changed_outside_of_a_repository_says_so(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    assert "is in no git repository" in message_of(bench.call("run_tests", changed=True))
    git(bench, "init", "-q")
    assert message_of(bench.call("run_tests", changed=True)) == "Nothing has been committed here yet."


def test_again_runs_what_ran_last(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\ndef test_two(): pass\n")
    assert message_of(bench.call("run_tests", again=True)) == "No tests have been run yet."
    bench.call("run_tests", keyword="two")
    task = bench.call("run_tests", again=True)
    assert [case.id for case in report_of(task).cases] == ["test_a.py::test_two"]


# ---- what is told ---------------------------------------------------------------------------------


def test_the_slowest_tests_are_told_on_request(bench: Workbench) -> None:
    write(
        bench,
        test_a="def test_fast(): pass\ndef test_slow(): pass\n",
        conftest="""
            import pytest

            @pytest.hookimpl(hookwrapper=True)
            def pytest_runtest_makereport(item):
                done = yield
                done.get_result().duration = 12.0 if item.name == "test_slow" else 0.04
        """,
    )
    task = bench.call("run_tests", slowest=True)
    assert task.result is not None
    lines = task.result.text.splitlines()
    assert lines[0] == "The slowest tests:"
    assert lines[1].strip().startswith("12 s  test_a.py::test_slow")
    assert task.result.data["slowest"][0]["id"] == "test_a.py::test_slow"


def test_locals_are_in_the_report_on_request(bench: Workbench) -> None:
    write(bench, test_a=FAILING)
    assert "user       = 'ada'" not in report_of(bench.call("run_tests")).cases[0].detail
    assert "user       = 'ada'" in report_of(bench.call("run_tests", show_locals=True)).cases[0].detail


def test_coverage_is_measured_on_request(bench: Workbench) -> None:
    pytest.importorskip("coverage")
    write(
        bench,
        module="def used():\n    return 1\n\ndef unused():\n    x = 1\n    return x\n",
        test_a="import module\ndef test_used(): assert module.used()\n",
    )
    task = bench.call("run_tests", coverage=True)
    assert task.state == "succeeded", bench.output
    assert task.result is not None
    assert task.result.summary.endswith("% covered")
    files = task.result.data["coverage"]["files"]
    assert [(file["file"], file["missing"]) for file in files] == [("module.py", 2)]
    assert "module.py (2 lines not run)" in task.result.text


def test_coverage_without_what_measures_it_says_what_to_install(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    (bench.folder / ".venv" / "bin").mkdir(parents=True)
    (bench.folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (bench.folder / ".venv" / "lib" / "python3.11" / "site-packages" / "pytest").mkdir(parents=True)
    task = bench.call("run_tests", coverage=True)
    assert message_of(task) == "pytest-cov, which measures coverage, is not installed here."
    assert task.problem is not None
    assert task.problem.hint.endswith("-m pip install pytest-cov")


def test_the_report_is_saved_as_junit(bench: Workbench) -> None:
    write(bench, test_a=FAILING + "\nimport pytest\n@pytest.mark.skip\ndef test_later(): pass\n")
    assert message_of(bench.call("save_test_report")) == "No tests have been run yet."
    bench.call("run_tests")
    task = bench.call("save_test_report", path="out.xml")
    assert task.result is not None, task.problem
    assert task.result.summary == "Saved the results of 3 tests as out.xml."
    suite = ElementTree.parse(bench.folder / "out.xml").getroot()[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert cases["test_login"].get("classname") == "test_a"
    failure = cases["test_login"].find("failure")
    assert failure is not None
    assert "AssertionError" in str(failure.get("message"))
    assert bench.call("save_test_report", path="out.xml").state == "succeeded"  # a report is replaced


def test_a_report_never_replaces_another_file(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    bench.call("run_tests")
    task = bench.call("save_test_report", path="test_a.py")
    assert message_of(task) == "test_a.py is there already and no test report."


# ---- opening what failed --------------------------------------------------------------------------


def test_a_failing_test_is_opened_at_its_line_as_seen_from_the_notebook(
    bench: Workbench, editor: Editor
) -> None:
    write(bench, tests__test_a=FAILING)
    assert message_of(bench.call("open_failing_test")) == "No tests have been run yet."
    bench.call("run_tests")
    task = bench.call("open_failing_test")
    assert editor.opened == [OpenFile(path="../tests/test_a.py", line=5)]
    assert task.result is not None
    assert task.result.summary == "Opened tests/test_a.py:5, where test_login failed."
    assert (
        message_of(bench.call("open_failing_test", number=2))
        == "There is no failure 2: only one test failed."
    )


def test_without_an_editor_the_place_is_told(bench: Workbench, editor: Editor) -> None:
    write(bench, tests__test_a=FAILING)
    bench.call("run_tests")
    editor.problem = ToolUnavailable("No front end shows the cells.")
    task = bench.call("open_failing_test")
    assert task.result is not None
    assert task.result.summary == "test_login failed at tests/test_a.py:5."
    assert "Not opened: No front end shows the cells." in task.result.text


def test_without_failures_there_is_nothing_to_open(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    bench.call("run_tests")
    assert message_of(bench.call("open_failing_test")) == "No test failed last time."


# ---- watching -------------------------------------------------------------------------------------


async def watched(bench: Workbench, acts: list[tuple[str, Callable[[], None]]]) -> Task:
    """Watch the tests; do each act when its text has been put out, and cancel at the end."""
    task = asyncio.ensure_future(bench.start("watch_tests"))
    async with asyncio.timeout(LIMIT_S):
        for text, act in acts:
            while text not in bench.output:  # noqa: ASYNC110 - the state belongs to other processes
                await asyncio.sleep(0.02)
            act()
        bench.runner.cancel(1)
        return await task


def test_watched_tests_run_again_at_each_change_until_cancelled(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    acts: list[tuple[str, Callable[[], None]]] = [
        ("run 1: 1 passed", lambda: write(bench, test_a="def test_one(): assert 0\n")),
        ("run 2: 1 failed: test_one", lambda: write(bench, test_b="def test_two(): pass\n")),
        ("run 3: 1 passed, 1 failed", lambda: None),
    ]
    task = asyncio.run(watched(bench, acts))
    assert task.state == "cancelled"
    assert "run 2: pyproject.toml, test_a.py changed" in bench.output
    assert "run 3: pyproject.toml, test_b.py changed" in bench.output


def test_a_file_that_tests_write_is_no_change(bench: Workbench) -> None:
    write(bench, test_a="def test_one(): pass\n")
    before = watching.stamps(bench.folder)
    (bench.folder / "result.json").write_text("{}")
    (bench.folder / "__pycache__").mkdir()
    (bench.folder / "__pycache__" / "x.py").touch()
    assert watching.stamps(bench.folder) == before


# ---- runs that do not end as they should ----------------------------------------------------------


def test_a_test_that_hangs_is_named_when_the_time_is_over(bench: Workbench) -> None:
    write(
        bench,
        test_a="""
            import pathlib, time
            def test_one(): pass
            def test_hangs():
                pathlib.Path("begun").touch()
                time.sleep(3600)
        """,
    )
    task = bench.call_past_limit((bench.folder / "begun").exists, "run_tests", timeout=300)
    assert task.problem is not None
    assert task.problem.kind == "TimedOut"
    assert "while test_a.py::test_hangs was running" in task.problem.message
    assert task.problem.message.endswith("1 of 2 tests had ended.")
    report = report_of(task)
    assert (report.passed, report.errors) == (1, 1)
    assert report.cases[0].id == "test_a.py::test_hangs"


def test_a_module_that_hangs_at_its_import_is_told(bench: Workbench) -> None:
    write(bench, test_a="import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(3600)\n")
    task = bench.call_past_limit((bench.folder / "begun").exists, "run_tests", timeout=300)
    assert "while they were collected" in message_of(task)


def test_a_killed_pytest_is_told_with_what_had_passed(bench: Workbench) -> None:
    write(bench, test_a="import os\ndef test_one(): pass\ndef test_two(): os.kill(os.getpid(), 9)\n")
    task = bench.call("run_tests")
    assert message_of(task) == (
        "pytest was ended by SIGKILL while test_a.py::test_two was running, after 1 of 2 tests."
    )
    assert task.problem is not None
    assert "memory" in task.problem.hint
    assert report_of(task).passed == 1
    assert report_of(task).cases[0].message == "It was still running when pytest ended."


def test_a_crash_at_import_is_told(bench: Workbench) -> None:
    write(bench, test_a=f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    assert message_of(bench.call("run_tests")).startswith("pytest was ended by SIGSEGV before the end")


def test_a_hundred_megabytes_of_output_change_no_count(bench: Workbench) -> None:
    write(
        bench,
        test_a="""
            def test_prints():
                line = "x" * 999 + "\\n"
                for _ in range(100):
                    print(line * 1000, end="")
            def test_other(): assert 0
        """,
    )
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = -s\n")
    task = bench.call("run_tests")
    assert (report_of(task).passed, report_of(task).failed) == (1, 1)
    assert task.output_bytes > 100_000_000
    assert len(task.tail) < 20_000


# ---- without pytest -------------------------------------------------------------------------------

UNITTEST = """
    import unittest

    class TestUser(unittest.TestCase):
        def test_login(self):
            self.assertEqual(1, 1)

        def test_logout(self):
            name = "ada"
            self.assertEqual(name, "bob")

        @unittest.skip("later")
        def test_later(self):
            pass

        def test_parts(self):
            for n in range(3):
                with self.subTest(n=n):
                    self.assertNotEqual(n, 1)
"""


@pytest.fixture
def without_pytest(bench: Workbench) -> None:
    """The project has an environment of its own, without pytest."""
    python = bench.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # -S: without site-packages
    python.chmod(0o755)


@pytest.mark.usefixtures("without_pytest")
def test_an_environment_without_pytest_runs_unittest_with_the_same_counts(bench: Workbench) -> None:
    write(bench, tests__test_user=UNITTEST, tests__test_bad="import unittest\nimport no_such_module\n")
    assert interpreter(bench.folder).runner == "unittest"
    task = bench.call("run_tests")
    report = report_of(task)
    assert (report.passed, report.failed, report.errors, report.skipped) == (1, 2, 1, 1), bench.output
    ids = [case.id for case in report.cases]
    assert "tests/test_bad.py" in ids[0]
    assert "tests/test_user.py::TestUser::test_logout" in ids
    logout = next(case for case in report.cases if case.id.endswith("test_logout"))
    assert (logout.file, logout.line) == ("tests/test_user.py", 10)
    assert "'ada' != 'bob'" in logout.message
    assert bench.progress[-1].label.startswith("5 of 5")


@pytest.mark.usefixtures("without_pytest")
def test_unittest_takes_a_keyword_a_file_a_name_and_the_failed_ones(bench: Workbench) -> None:
    write(bench, tests__test_user=UNITTEST)
    assert report_of(bench.call("run_tests", keyword="login")).passed == 1
    assert report_of(bench.call("run_tests", test="login")).passed == 1
    assert report_of(bench.call("run_tests", path="test_user.py::TestUser::test_login")).passed == 1
    bench.call("run_tests", path="tests/test_user.py", keyword="logout")
    report = report_of(bench.call("run_tests", failed_only=True))
    assert (report.passed, report.failed) == (0, 1)
    task = bench.call("run_tests", keyword="nothing")
    assert message_of(task) == "No test matches 'nothing'."
    task = bench.call("run_tests", marker="slow")
    assert "Markers are known to pytest only" in message_of(task)


@pytest.mark.usefixtures("without_pytest")
def test_a_crash_under_unittest_is_named(bench: Workbench) -> None:
    crash = "import os, unittest\nclass TestA(unittest.TestCase):\n    def test_x(self): os._exit(3)\n"
    write(bench, test_a=crash)
    assert message_of(bench.call("run_tests")) == (
        "unittest ended with exit status 3 while test_a.py::TestA::test_x was running, after 0 of 1 tests."
    )


def test_pytest_runs_the_tests_of_unittest_where_it_is_installed(bench: Workbench) -> None:
    write(bench, test_a=UNITTEST)
    assert interpreter(bench.folder).runner == "pytest"
    assert report_of(bench.call("run_tests")).failed >= 2


def test_the_folder_of_the_plugin_holds_only_what_runs_tests() -> None:
    folder = Path(testing.__file__).parents[1] / "pytest_plugin"
    assert sorted(name for name in os.listdir(folder) if name.endswith(".py")) == [
        "voice_kernel_events.py",
        "voice_kernel_unittest.py",
        "voice_kernel_wire.py",
    ]
