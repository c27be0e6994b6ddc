"""`ask`, `tasks` and `@tool` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import Call, OpenAIServer, serve
from real_kernel import Cell, RealKernel, shown

IMPORT = """
import asyncio, threading, time
from voice_kernel import ToolContext, ask, tasks, tool
"""
SPIN = """
@tool
def spin():
    print("spinning")
    while True:
        time.sleep(0.001)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKernel]:
    kernel = RealKernel(tmp_path_factory.mktemp("api"))
    kernel.execute(IMPORT).expect_ok()
    yield kernel
    kernel.stop()


@pytest.fixture
def notebook(shared: RealKernel) -> RealKernel:
    """A kernel with the three names, in which earlier tests have defined and run things."""
    return shared


@pytest.fixture
def fresh(new_kernel: RealKernel) -> RealKernel:
    """A kernel of the test's own with the three names."""
    new_kernel.execute(IMPORT).expect_ok()
    return new_kernel


def problem(cell: Cell) -> tuple[str, str]:
    """The name and the text of the exception that ended a cell."""
    assert cell.status == "error", shown(cell)
    assert cell.reply is not None
    content = cell.reply["content"]
    return content["ename"], content["evalue"]


INTERRUPT = """
import os, signal
def interrupt_when_running(count):
    while sum(not t.done and bool(t.task.tail) for t in tasks) < count:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
"""


def interrupted(notebook: RealKernel, code: str, count: int) -> Cell:
    """Run a cell whose asks never end, and interrupt it when so many of them have begun to run."""
    interrupting = f"threading.Thread(target=interrupt_when_running, args=({count},)).start()"
    return notebook.execute(f"{interrupting}\n{code}")


# ---- ask ------------------------------------------------------------------------------------------


def test_an_ask_in_a_cell_is_a_turn_like_any_other(notebook: RealKernel) -> None:
    cell = notebook.execute("turn = await ask('run the code 6 * 7')").expect_ok()
    assert "✓" in shown(cell)
    assert "42" in shown(cell)  # what the code put out stands in the cell
    assert notebook.value("turn.ok, turn.transcript, turn.route, turn.calls[0].tool") == (
        "(True, 'run the code 6 * 7', 'intents', 'run_code')"
    )


def test_an_ask_in_a_function_that_is_not_async(notebook: RealKernel) -> None:
    notebook.execute(
        "def answer():\n    return ask('run the code 6 * 7').result().outputs[0].data['text/plain']"
    ).expect_ok()
    assert notebook.execute("print(answer())").expect_ok().text.endswith("42\n")


def test_an_ask_in_async_functions_and_tasks(notebook: RealKernel) -> None:
    notebook.execute("async def one():\n    return (await ask('list variables')).ok").expect_ok()
    cell = notebook.execute("print(await one(), await asyncio.create_task(one()))")
    assert cell.text.endswith("True True\n")


def test_an_ask_that_fails_raises_and_holds_its_result(notebook: RealKernel) -> None:
    name, text = problem(notebook.execute("await ask('run the code 1 / 0')"))
    assert name == "TurnFailed"
    assert "division by zero" in text
    cell = notebook.execute(
        "try:\n    await ask('colourless green ideas')\n"
        "except Exception as error:\n    print(error.result.route)"
    )
    assert cell.text.endswith("none\n")


def test_several_asks_run_beside_each_other(notebook: RealKernel) -> None:
    notebook.execute(
        "meet = threading.Barrier(2)\n"
        "@tool\ndef left() -> str:\n    meet.wait(120); return 'left'\n"
        "@tool\ndef right() -> str:\n    meet.wait(120); return 'right'"
    ).expect_ok()
    cell = notebook.execute(
        "a, b, c = await asyncio.gather(ask('left'), ask('right'), ask('run the code meet.parties'))\n"
        "print([r.results[0].summary for r in (a, b)], c.outputs[0].data['text/plain'])"
    ).expect_ok()
    assert "['left', 'right'] 2\n" in cell.text


def test_of_several_asks_each_raises_its_own_failure(notebook: RealKernel) -> None:
    cell = notebook.execute(
        "done = await asyncio.gather(ask('list variables'), ask('run the code 1/0'),\n"
        "    return_exceptions=True)\n"
        "print(done[0].ok, type(done[1]).__name__)"
    ).expect_ok()
    assert cell.text.endswith("True TurnFailed\n")


def test_many_asks_of_one_cell_share_a_card(notebook: RealKernel) -> None:
    cell = notebook.execute(
        "many = [ask(f'run the code {n}') for n in range(29)] + [ask('run the code 1/0')]\n"
        "done = await asyncio.gather(*many, return_exceptions=True)",
        allow_stdin=True,
        timeout_s=300,
    ).expect_ok()
    opened = [message["content"]["data"] for message in cell.messages if message["msg_type"] == "comm_open"]
    assert sum(data.get("state", {}).get("view") == "card" for data in opened) == 12
    told = shown(cell)
    assert "18 more commands of this cell" in told
    assert "17 succeeded, 1 failed" in told
    assert "“run the code 1/0”: " in told


def test_what_is_not_awaited_does_not_begin(notebook: RealKernel) -> None:
    cell = notebook.execute("later = ask('run the code touched = 1')\nlater").expect_ok()
    assert "has not begun" in cell.text
    assert notebook.value("'touched' in globals()") == "False"
    notebook.execute("await ask('list variables')").expect_ok()  # another cell's ask does not begin it
    assert notebook.value("'touched' in globals()") == "False"
    notebook.execute("await later").expect_ok()
    assert notebook.value("touched") == "1"
    assert "succeeded" in notebook.value("later")


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("await ask('spin')", 1),
        ("ask('spin').result()", 1),
        ("await asyncio.gather(ask('spin'), ask('spin'))", 2),
        ("async def inside():\n    await ask('spin')\nawait asyncio.create_task(inside())", 1),
    ],
)
def test_an_interrupt_cancels_all_that_is_awaited_and_the_kernel_lives(
    notebook: RealKernel, code: str, count: int
) -> None:
    notebook.execute(SPIN + INTERRUPT).expect_ok()
    name, _ = problem(interrupted(notebook, code, count))
    assert name in ("TurnCancelled", "AwaitedTurnCancelled", "CancelledError")
    notebook.until_true("all(task.done for task in tasks)")
    assert notebook.value("tasks.last.state") == "'cancelled'"


ON_THE_MAIN_THREAD = """
@tool(thread="main")
def polite(ctx: ToolContext):
    print("polite")
    while True:
        ctx.progress(0.5)
        time.sleep(0.001)

@tool(thread="main")
async def patient(ctx: ToolContext):
    print("patient")
    await asyncio.sleep(600)
"""


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("await ask('polite')", 1),
        ("await ask('patient')", 1),
        # On the main thread one runs after the other.
        ("await asyncio.gather(ask('patient'), ask('polite'), ask('spin'))", 2),
    ],
)
def test_an_interrupt_ends_what_runs_on_the_main_thread_and_all_that_was_asked_with_it(
    notebook: RealKernel, code: str, count: int
) -> None:
    notebook.execute(SPIN + INTERRUPT + ON_THE_MAIN_THREAD).expect_ok()
    cell = interrupted(notebook, code, count)
    name, _ = problem(cell)
    assert name in ("TurnCancelled", "AwaitedTurnCancelled", "CancelledError")
    notebook.until_true("all(task.done for task in tasks)")
    assert "still running" not in shown(cell)
    assert "voice_kernel/" not in str([m["content"] for m in cell.messages if m["msg_type"] == "error"])


def test_code_that_awaits_lets_the_other_asks_go_on_and_each_is_done_once(notebook: RealKernel) -> None:
    notebook.execute("done = []").expect_ok()
    notebook.execute(
        "await asyncio.gather(*(ask(f'run the code await asyncio.sleep(0.05); done.append({n})') "
        "for n in range(4)))"
    ).expect_ok()
    assert notebook.value("sorted(done)") == "[0, 1, 2, 3]"


def test_an_ask_inside_code_that_was_asked_for(notebook: RealKernel) -> None:
    cell = notebook.execute("await ask('run the code (await ask(\"run the code 6 * 7\")).ok')").expect_ok()
    assert "True" in shown(cell)


def test_an_ask_that_is_given_up_before_it_begins_never_does(notebook: RealKernel) -> None:
    notebook.execute(
        "task = asyncio.create_task(ask('run the code given_up = 1')); task.cancel()\n"
        "try:\n    await task\nexcept asyncio.CancelledError:\n    pass\n"
        "await ask('list variables')"
    ).expect_ok()
    assert notebook.value("'given_up' in globals()") == "False"


def test_on_another_thread_an_ask_says_what_to_do(notebook: RealKernel) -> None:
    notebook.execute(
        "def elsewhere():\n    try:\n        ask('list variables')\n    except Exception as error:\n"
        "        told.append((type(error).__name__, str(error)))\n"
        "told = []; thread = threading.Thread(target=elsewhere); thread.start(); thread.join()"
    ).expect_ok()
    told = notebook.value("told")
    assert "KernelError" in told
    assert "Call it from a cell" in told


# ---- tasks ----------------------------------------------------------------------------------------


def test_before_the_first_command_tasks_are_empty_and_begin_nothing(fresh: RealKernel) -> None:
    fresh.execute("before = {t.name for t in threading.enumerate()}").expect_ok()
    assert fresh.execute("tasks").expect_ok().text == "No tasks yet."
    assert fresh.value("len(tasks), tasks.last, list(tasks.running), list(tasks.failed)") == (
        "(0, None, [], [])"
    )
    assert fresh.value("'voice_kernel.app' in __import__('sys').modules") == "False"
    assert fresh.value("{t.name for t in threading.enumerate()} - before") == "set()"
    name, text = problem(fresh.execute("tasks[1]"))
    assert name == "UnknownTask"
    assert "none yet" in text


def test_tasks_are_a_live_view_with_their_results_and_logs(fresh: RealKernel) -> None:
    fresh.execute("await ask('run the code print(1); print(2)')").expect_ok()
    problem(fresh.execute("await ask('run the code 1 / 0')"))
    assert fresh.value("len(tasks), [t.id for t in tasks], tasks.last.id, tasks[-1].id") == (
        "(2, [1, 2], 2, 2)"
    )
    assert fresh.value("[t.id for t in tasks.failed], len(tasks.running)") == "([2], 0)"
    assert fresh.value("tasks[1].state, tasks[1].tool, tasks[1].done, tasks[1].title") == (
        "('succeeded', 'run_code', True, 'run_code print(1); print(2)')"
    )
    assert fresh.value("tasks[1].log(), tasks[1].log(lines=1), tasks[1].result.data['success']") == (
        "('1\\n2\\n', '2\\n', True)"
    )
    assert fresh.value("open(tasks[1].log_path).read()") == "'1\\n2\\n'"
    assert "ZeroDivisionError" in fresh.value("tasks[2].problem.kind")
    text = fresh.execute("tasks").text
    assert text.splitlines()[0].startswith("2  ✗ failed")
    assert "division by zero" in text
    page = fresh.value("tasks._repr_html_()")
    assert "<table" in page
    assert "run_code 1 / 0" in page
    assert "failed" in fresh.value("tasks.last._repr_html_()")


def test_a_table_for_pandas(fresh: RealKernel) -> None:
    fresh.execute("await ask('list variables')").expect_ok()
    assert fresh.value("'pandas' in __import__('sys').modules") == "False"
    fresh.execute("frame = tasks.to_frame()").expect_ok()
    assert fresh.value(
        "frame.loc[1, ['tool', 'state', 'said']].tolist(), str(frame['started_at'].dtype)[:10]"
    ) == ("(['list_variables', 'succeeded', 'list variables'], 'datetime64')")
    assert fresh.value("len(tasks.failed.to_frame())") == "0"


def test_a_task_is_cancelled_waited_for_and_retried_from_python(fresh: RealKernel) -> None:
    fresh.execute(SPIN).expect_ok()
    fresh.execute("%load_ext voice_kernel").expect_ok()
    fresh.execute("handle = %voice -b spin").expect_ok()
    fresh.until_true("any(t.task.tail for t in tasks.running)")
    name, text = problem(fresh.execute("tasks.last.wait(timeout_s=0.05)"))
    assert (name, "has not ended" in text) == ("TimeoutError", True)
    assert fresh.value("tasks.last.cancel(), tasks.last.wait().state, tasks.last.cancel()") == (
        "(True, 'cancelled', False)"
    )
    fresh.execute("await ask('run the code 6 * 7')").expect_ok()
    assert fresh.value(
        "(again := tasks.last.retry().wait()).state, again.id, again.result.data['output']"
    ) == ("('succeeded', 3, '42')")
    assert fresh.value("len(tasks)") == "3"


# ---- tools ----------------------------------------------------------------------------------------


def test_a_tool_defined_before_the_first_command_is_understood_by_it(fresh: RealKernel) -> None:
    fresh.execute(
        "@tool(sentences=['train [the] model [for {epochs} epochs]'])\n"
        "def train(epochs: int = 3) -> dict:\n"
        "    'Train the model.'\n"
        "    print('training')\n"
        "    return {'epochs': epochs}"
    ).expect_ok()
    assert fresh.value("'voice_kernel.app' in __import__('sys').modules") == "False"
    fresh.execute("%load_ext voice_kernel").expect_ok()
    cell = fresh.execute("turn = %voice train the model for twenty five epochs").expect_ok()
    assert "epochs 25" in shown(cell)
    assert "training" in shown(cell)
    assert fresh.value("train(2)") == "training\n{'epochs': 2}"  # as any function
    assert "train the model for 3 epochs" in shown(fresh.execute("%voice help").expect_ok())
    assert fresh.value("tasks[1].task.area, tasks[1].log()") == "('own', 'training\\n')"


def test_a_tool_defined_later_and_redefined_is_the_newest(notebook: RealKernel) -> None:
    for word in ("old", "new"):
        notebook.execute(f"@tool\ndef flavour() -> str:\n    return {word!r}").expect_ok()
        assert notebook.execute("print((await ask('flavour')).results[0].summary)").text.endswith(f"{word}\n")


def test_a_clash_is_told_where_the_sentence_is_written(notebook: RealKernel) -> None:
    cell = notebook.execute(
        "@tool(sentences=['calibrate the lens', 'calibrate it again'])\ndef check(): pass"
    ).expect_ok()
    assert cell.text == ""
    cell = notebook.execute("@tool(sentences=['list variables'])\ndef mine() -> str:\n    return 'mine'")
    assert "“list variables” meant list_variables until now" in cell.expect_ok().text
    assert "@tool(sentences=['list variables'])" in cell.text  # the user's line
    assert notebook.execute("print((await ask('list variables')).calls[0].tool)").text.endswith("mine\n")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("@tool\ndef run_tests(): pass", "There is a tool named run_tests already."),
        ("@tool\ndef rows(count): pass", "the argument count has no type"),
        ("@tool(sentences=['go {far}'])\ndef travel(): pass", "about far, which is no argument"),
        ("@tool(sentences=['go <far>'])\ndef travel(): pass", "There is no rule <far>"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused_with_its_line(
    notebook: RealKernel, source: str, says: str
) -> None:
    name, text = problem(notebook.execute(source))
    assert name == "InvalidTool"
    assert says in text
    assert "line 2: def" in text


def test_on_the_main_thread_a_tool_sees_the_notebook_and_draws_into_the_cell(notebook: RealKernel) -> None:
    notebook.execute(
        "@tool(thread='main')\n"
        "def sketch(ctx: ToolContext):\n"
        "    import matplotlib.pyplot as plt\n"
        "    plt.plot([1, 2, 3])\n"
        "    ctx.progress(0.5, 'drawn')\n"
        "    global drawn\n"
        "    drawn = threading.current_thread() is threading.main_thread()\n"
        "    print('drawing')"
    ).expect_ok()
    cell = notebook.execute("await ask('sketch')").expect_ok()
    pictures = [m for m in cell.messages if "image/png" in m["content"].get("data", {})]
    assert len(pictures) == 1
    assert notebook.value("drawn") == "True"
    assert "drawing" in notebook.value("tasks.last.log()")


def test_what_a_tool_returns_is_shown_as_a_notebook_shows_it(notebook: RealKernel) -> None:
    notebook.execute(
        "import pandas as pd\n@tool\ndef table():\n    print('made')\n    return pd.DataFrame({'a': [1, 2]})"
    ).expect_ok()
    cell = notebook.execute("await ask('table')").expect_ok()
    html = [m["content"]["data"].get("text/html", "") for m in cell.messages if "data" in m["content"]]
    assert any('class="dataframe"' in page for page in html)
    assert "A DataFrame: 2 rows, 1 column." in shown(cell)
    assert "made" in shown(cell)


def test_a_failure_is_told_with_the_cell_and_the_line(notebook: RealKernel) -> None:
    notebook.execute("@tool\ndef divide(by: int = 0):\n    return 1 / by").expect_ok()
    cell = notebook.execute("await ask('divide')")
    assert problem(cell) == ("TurnFailed", "ZeroDivisionError: division by zero")
    assert "Cell In[" in shown(cell)
    assert "line 3, in divide" in shown(cell)
    assert "worker.py" not in shown(cell)


def test_a_tool_may_ask_only_from_the_main_thread(notebook: RealKernel) -> None:
    notebook.execute(
        "@tool(thread='main')\ndef outer() -> str:\n"
        "    return ask('run the code 6 * 7').result().outputs[0].data['text/plain']\n"
        "@tool\nasync def inner():\n    await ask('list variables')"
    ).expect_ok()
    assert notebook.execute("print((await ask('outer')).results[0].summary)").text.endswith("42\n")
    name, text = problem(notebook.execute("await ask('inner')"))
    assert name == "TurnFailed"
    assert '@tool(thread="main")' in text


def test_a_tool_that_always_asks_is_refused_where_nobody_can_be_asked(notebook: RealKernel) -> None:
    notebook.execute(
        "@tool(asks='it costs money')\ndef buy():\n    global bought\n    bought = 1"
    ).expect_ok()
    name, text = problem(notebook.execute("await ask('buy')"))
    assert name == "TurnFailed"
    assert "It asks because it costs money." in text
    assert notebook.value("'bought' in globals()") == "False"


def test_unloading_forgets_the_tools(fresh: RealKernel) -> None:
    fresh.execute("%load_ext voice_kernel\n@tool\ndef greet(): pass").expect_ok()
    fresh.execute("await ask('greet')").expect_ok()
    fresh.execute("%unload_ext voice_kernel").expect_ok()
    assert fresh.execute("tasks").text == "No tasks yet."
    name, text = problem(fresh.execute("%load_ext voice_kernel\nawait ask('greet')"))
    assert (name, "did not understand" in text) == ("TurnFailed", True)
    # Also where no session ever began.
    fresh.execute("%unload_ext voice_kernel").expect_ok()
    fresh.execute("@tool\ndef greet(): pass\n%load_ext voice_kernel\n%unload_ext voice_kernel").expect_ok()
    assert fresh.value("__import__('voice_kernel.usertools.shelf', fromlist=['x']).shelf.tools") == "()"


# ---- models ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


def test_a_model_is_offered_the_tool_and_its_call_asks_first(
    server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reset()
    monkeypatch.setenv("VOICE_KERNEL_BASE_URL", server.url)
    monkeypatch.setenv("MODEL", "scripted")
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    kernel = RealKernel(tmp_path)
    try:
        kernel.execute(
            f"{IMPORT}\n@tool\ndef weigh(grams: float) -> float:\n    'Weigh something.'\n    return grams\n"
            "@tool(effects={'read'})\ndef measure(metres: float) -> float:\n    return metres"
        ).expect_ok()
        server.says(Call("weigh", {"grams": 3}), "I may not.", Call("measure", {"metres": 2}), "Two metres.")
        kernel.execute("turn = await ask('what might this thing weigh, do you think')").expect_ok()
        assert kernel.value("turn.tasks[-1].tool, turn.tasks[-1].problem.kind") == "('weigh', 'NobodyToAsk')"
        kernel.execute("turn = await ask('and how long would you say it is')").expect_ok()
        assert kernel.value("turn.tasks[-1].tool, turn.tasks[-1].state") == "('measure', 'succeeded')"
        offered = {tool["function"]["name"]: tool["function"] for tool in server.asked[0]["tools"]}
        assert offered["weigh"]["description"] == "Weigh something."
    finally:
        kernel.stop()
