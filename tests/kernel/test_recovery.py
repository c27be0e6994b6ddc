"""A kernel that ends, in whatever way, loses nothing that was written and leaves nothing running."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from lab import free_port, isolated, write_notebook
from page import SHELL, Notebook, Page, living, until_gone
from real_kernel import PROJECT, TIMEOUT_S

from voice_kernel.messages import RetryTask, Task
from voice_kernel.store import History, PastSession

PATIENT = f"""
import os, sys, voice_kernel.app, voice_kernel.store.writer
voice_kernel.app.END_LIMIT_S = voice_kernel.store.writer.STOP_LIMIT_S = {TIMEOUT_S}
"""
"""A kernel that takes its time to write what is known: on a busy machine it may take seconds."""
OPENED = f"""%load_ext voice_kernel
from voice_kernel.app import app_of
app = app_of(get_ipython())
assert app.loop.run_sync(app.conversations.wait_open({TIMEOUT_S}), {TIMEOUT_S})
"""
"""The conversation to go on with is there: a cell's first command waits no longer than 2 s for it."""


@pytest.fixture
def marker() -> Iterator[str]:
    """A number of seconds that no other process sleeps; whoever still does is ended."""
    marker = f"6{random.randrange(10**8):08}"
    yield marker
    for pid in living(marker):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    with Notebook(tmp_path) as notebook:
        yield notebook


def long(marker: str) -> str:
    """A command that prints and then goes on for long, unless a file says otherwise; with a child."""
    return (
        f"echo first line; echo last line; [ -e short ] || {{ (sleep {marker} & sleep {marker}); "
        f"sleep {marker}; }}"
    )


def begin(page: Page, marker: str) -> Task:
    """Run the long command until it has printed, and that is on disk."""
    task = page.shell(long(marker))
    page.until(lambda: "last line" in page.tasks[task.id].tail)
    logs = page.kernel.folder / "data" / "voice_kernel" / "logs"
    page.until(lambda: any("last line" in log.read_text() for log in logs.glob("*.log")))
    return page.tasks[task.id]


def sessions(notebook: Notebook) -> list[PastSession]:
    """What is on disk of the notebook's sessions, newest first."""
    with notebook.history as history:
        return history.sessions()


def expect_interrupted(page: Page, task: Task) -> None:
    """The page shows the task as one that its kernel left behind, and can run it again."""
    page.until(lambda: task.id in page.tasks)
    shown = page.tasks[task.id]
    assert (shown.state, shown.earlier, shown.title) == ("interrupted", True, task.title)
    assert "first line\nlast line\n" in shown.tail
    assert shown.problem is not None
    assert (shown.problem.kind, shown.problem.retryable) == ("Interrupted", True)
    assert shown.ended_at is not None
    assert page.turns[shown.turn_id].state == "failed"
    (page.kernel.folder / "short").touch()
    page.send(RetryTask(task_id=task.id))
    page.until(lambda: max(page.tasks) > task.id)
    again = page.ended(max(page.tasks))
    assert (again.state, again.earlier) == ("succeeded", False)
    page.until(lambda: page.turns.get(again.turn_id, page.turns[task.turn_id]).text == f"Again: {task.title}")


# ---- the kernel ---------------------------------------------------------------------------------------


def test_a_killed_kernel_leaves_an_interrupted_task_that_can_be_run_again(
    notebook: Notebook, marker: str
) -> None:
    page = notebook.open()
    page.until_kept()
    assert page.done("echo before").state == "succeeded"
    task = begin(page, marker)
    notebook.written(lambda tasks: [task.state for task in tasks] == ["succeeded", "running"])
    page.kernel.kill()
    until_gone(marker)

    page = notebook.open()
    page.until_shown(1, 2)
    assert (page.tasks[1].state, page.tasks[1].tail) == ("succeeded", "before\n")
    expect_interrupted(page, task)


def test_restarting_the_kernel_interrupts_what_ran_and_goes_on_with_the_conversation(
    notebook: Notebook, marker: str
) -> None:
    page = notebook.open(setup=PATIENT)
    page.until_kept()
    task = begin(page, marker)
    page.kernel.restart()
    until_gone(marker)
    assert [session.ending for session in sessions(notebook)] == ["closed"]  # nobody had to kill it
    page = Page(page.kernel)
    expect_interrupted(page, task)


def test_a_shutdown_while_a_cell_runs_still_writes_what_is_known(notebook: Notebook, marker: str) -> None:
    page = notebook.open(setup=PATIENT)
    page.until_kept()
    begin(page, marker)
    cell = page.kernel.begin("import time\nprint('busy', flush=True)\nwhile True: time.sleep(0.1)")
    page.kernel.printed(cell, "busy")
    page.kernel.shut_down()
    until_gone(marker)
    (task,) = notebook.written(lambda tasks: len(tasks) == 1)
    assert task.state == "interrupted"
    assert [session.ending for session in sessions(notebook)] == ["closed"]


def test_a_task_that_a_person_cancelled_is_not_called_interrupted(notebook: Notebook, marker: str) -> None:
    page = notebook.open(setup=PATIENT)
    page.until_kept()
    # It takes a while to end: by then the kernel is gone.
    command = f"trap 'sleep 1' TERM; echo ready; while true; do sleep {marker} & wait $!; done"
    task = page.shell(command)
    page.until(lambda: "ready" in page.tasks[task.id].tail)
    page.kernel.execute(
        "from voice_kernel.app import app_of\n"
        "app = app_of(get_ipython())\n"
        f"app.loop.call_soon(app.session.cancel_task, {task.id})"
    ).expect_ok()
    page.kernel.shut_down()
    until_gone(marker)
    (written,) = notebook.written(lambda tasks: len(tasks) == 1)
    assert written.state == "cancelled"


def test_unloading_the_extension_interrupts_what_runs_and_loading_goes_on(
    notebook: Notebook, marker: str
) -> None:
    page = notebook.open()
    page.until_kept()
    task = begin(page, marker)
    page.kernel.execute("%load_ext voice_kernel").expect_ok()
    page.kernel.execute("%unload_ext voice_kernel").expect_ok()  # it would run for years
    until_gone(marker)
    page.kernel.execute("%load_ext voice_kernel").expect_ok()
    page = Page(page.kernel)
    expect_interrupted(page, task)


def test_a_forked_copy_of_the_kernel_ends_nothing_when_it_exits(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    task = page.shell("while [ ! -e go ]; do sleep 0.05; done; echo ended")
    page.kernel.execute(
        "from voice_kernel.app import app_of\n"
        "app = app_of(get_ipython())\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    app.end()  # as at exit\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)"
    ).expect_ok()
    (notebook.folder / "go").touch()
    assert page.ended(task.id).state == "succeeded"
    assert notebook.written(lambda tasks: tasks[0].state == "succeeded")
    assert [session.ended_at for session in sessions(notebook)] == [None]


def test_leaving_a_terminal_writes_what_is_known(tmp_path: Path, marker: str) -> None:
    script = (
        f"{PATIENT}"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'voice_kernel')\n"
        f"shell.run_line_magic('voice', '-b run the command echo begun; sleep {marker}')\n"
        "import time\n"
        "from voice_kernel.app import app_of\n"
        "app = app_of(shell)\n"
        "while not any('begun' in task.tail for task in app.hub.tasks.values()): time.sleep(0.02)\n"
        "print('leaving', flush=True)\n"
    )
    environment = isolated(tmp_path) | SHELL | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "leaving" in done.stdout
    until_gone(marker)
    with History("", tmp_path / "data" / "voice_kernel") as history:
        ((past,), _) = history.find()
        (session,) = history.sessions()
    assert (past.task.state, session.ending) == ("interrupted", "closed")
    assert "begun" in past.task.tail or "begun" in Path(past.task.log_path).read_text()


def test_a_script_does_not_go_on_with_the_conversation_of_another(tmp_path: Path) -> None:
    with Notebook(tmp_path, name="") as folder:
        page = folder.open()
        page.until_kept()
        page.done("echo one")
        page.kernel.shut_down()
        page = folder.open()
        page.until_kept()
        assert page.tasks == {}
        assert len(page.threads()) == 1


# ---- its children -------------------------------------------------------------------------------------


def test_a_killed_child_is_named_with_its_signal(notebook: Notebook, marker: str) -> None:
    page = notebook.open()
    page.until_kept()
    task = page.shell(f"echo $$; exec sleep {marker}")
    page.until(lambda: bool(living(marker)) and "\n" in page.tasks[task.id].tail)
    os.kill(int(page.tasks[task.id].tail), signal.SIGKILL)
    ended = page.ended(task.id)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert "SIGKILL" in ended.problem.message
    assert page.done("echo on").state == "succeeded"
    assert notebook.written(lambda tasks: len(tasks) == 2)[0].state == "failed"


# ---- the Jupyter server -------------------------------------------------------------------------------


class Server:
    """A Jupyter server without a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root",
                "--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0",
                "--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True",
                f"--ServerApp.root_dir={folder}",
            ],
            env=isolated(folder) | SHELL | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.ask("GET", "/api/status")
            except OSError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.1)  # a server that starts gives no event to wait for
            else:
                return

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to one request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            return json.loads(reply.read() or b"null")

    def kernel(self, notebook: str) -> ServedKernel:
        """Open a notebook, as JupyterLab does."""
        session = self.ask(
            "POST",
            "/api/sessions",
            {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}},
        )
        return ServedKernel(self.folder, session["kernel"]["id"])

    def kill(self) -> None:
        """End it as nothing can prepare for."""
        self.process.kill()
        self.process.wait()


class ServedKernel:
    """A kernel of a server, spoken to past the server."""

    def __init__(self, folder: Path, kernel_id: str) -> None:
        self.name = f"kernel-{kernel_id}.json"
        self.client = BlockingKernelClient(connection_file=str(folder / "runtime" / self.name))
        self.client.load_connection_file()
        self.client.start_channels()
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.client.wait_for_ready(timeout=TIMEOUT_S)
            except RuntimeError:  # a kernel without a heartbeat yet is taken for a dead one
                assert time.monotonic() < deadline
            else:
                break

    def value(self, expression: str) -> str:
        """Return the `repr` of an expression's value."""
        reply = self.client.execute_interactive(
            "pass", user_expressions={"it": expression}, timeout=TIMEOUT_S, output_hook=lambda _: None
        )
        return str(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])

    def run(self, code: str) -> None:
        """Run a cell."""
        reply = self.client.execute_interactive(code, timeout=TIMEOUT_S, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]


def test_a_killed_server_takes_its_kernels_along_and_a_new_one_goes_on(tmp_path: Path, marker: str) -> None:
    (tmp_path / "sub").mkdir()
    write_notebook(tmp_path / "sub" / "work.ipynb", ["1"])
    server = Server(tmp_path)
    kernel = server.kernel("sub/work.ipynb")
    kernel.run("%load_ext voice_kernel\n%voice run the command echo before")
    kernel.run(f"handle = get_ipython().run_line_magic('voice', '-b run the command sleep {marker}')")
    deadline = time.monotonic() + TIMEOUT_S
    while not living(marker):
        assert time.monotonic() < deadline
        time.sleep(0.02)  # nobody tells when a process of others begins
    Notebook(tmp_path).written(lambda tasks: [task.state for task in tasks] == ["succeeded", "running"])
    assert living(kernel.name)
    server.kill()
    until_gone(kernel.name)  # ipykernel looks once a second whether its parent lives
    until_gone(marker)

    server = Server(tmp_path)
    try:
        kernel = server.kernel("sub/work.ipynb")
        kernel.run(OPENED)
        kernel.run("%voice run the command echo after")
        tasks = "[(t.id, t.state, t.earlier) for t in __import__('voice_kernel.app')"
        tasks += ".app.app_of(get_ipython()).hub.tasks.values()]"
        assert kernel.value(tasks) == str(
            [(1, "succeeded", True), (2, "interrupted", True), (3, "succeeded", False)]
        )
    finally:
        server.process.terminate()
        server.process.wait(TIMEOUT_S)


# ---- nothing is touched unasked -----------------------------------------------------------------------


def test_loading_and_parsing_touch_no_database(tmp_path: Path) -> None:
    environment = isolated(tmp_path) | {"PYTHONPATH": str(PROJECT)}
    load = (
        "from IPython.core.interactiveshell import InteractiveShell; import sys\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'voice_kernel')\n"
        "from voice_kernel.cli import main\n"
        "main(['parse', 'run the tests'])\n"
        "assert 'sqlalchemy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", load], env=environment, check=True, timeout=TIMEOUT_S)
    assert not (tmp_path / "data").exists()


def test_with_history_off_nothing_is_left_on_disk(tmp_path: Path) -> None:
    passing = tmp_path / "tmp"
    passing.mkdir()
    off = SHELL | {"VOICE_KERNEL_KEEP_HISTORY": "false", "TMPDIR": str(passing)}
    with Notebook(tmp_path, environment=off) as notebook:
        page = notebook.open()
        task = page.done("echo kept nowhere")
        assert (task.state, task.tail) == ("succeeded", "kept nowhere\n")
        assert Path(task.log_path).read_text() == "kept nowhere\n"  # it can be read while the kernel lives
        page.until(lambda: "turned off" in page.keeping.message)
        assert page.notices == []
        page.kernel.shut_down()
    assert not notebook.data.exists()
    assert list(passing.glob("voice-kernel*")) == []
