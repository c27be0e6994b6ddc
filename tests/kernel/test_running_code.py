"""Code runs on the main thread, in both ways, and what it puts out is captured in order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from real_kernel import RealKernel

IDLE = """
job = loop.submit(door.run({code!r}{options}))
"""
REPORT = """
import json
def report(result):
    return json.dumps({
        "success": result.success, "line": result.line, "interrupted": result.interrupted,
        "error": result.error and [result.error.kind, result.error.message],
        "outputs": [[o.kind, o.text, o.data] for o in result.outputs],
    })
"""


def run_waiting(kernel: RealKernel, code: str, options: str = "") -> tuple[dict[str, Any], Any]:
    kernel.execute(REPORT).expect_ok()
    cell = kernel.execute(f"result = run({code!r}{options})")
    return json.loads(kernel.execute("print(report(result))").expect_ok().text), cell


def run_idle(kernel: RealKernel, code: str, options: str = "") -> tuple[dict[str, Any], Any]:
    kernel.execute(REPORT).expect_ok()
    cell = kernel.execute(IDLE.format(code=code, options=options)).expect_ok()
    kernel.until_true("job.done()")
    return json.loads(kernel.execute("print(report(job.result()))").expect_ok().text), cell


both = pytest.mark.parametrize("run", [run_waiting, run_idle], ids=["waiting", "idle"])


@both
def test_code_runs_in_the_users_namespace_on_the_main_thread(kernel: RealKernel, run: Any) -> None:
    kernel.execute("given = 41").expect_ok()
    result, _ = run(
        kernel, "found = given + 1; where = threading.current_thread() is threading.main_thread()"
    )
    assert result["success"]
    assert kernel.value("(found, where)") == "(42, True)"


@both
def test_outputs_come_in_order(kernel: RealKernel, run: Any) -> None:
    code = (
        "from IPython.display import display, HTML\n"
        "print('one')\n"
        "print('two', file=sys.stderr)\n"
        "display(HTML('<b>three</b>'))\n"
        "print('four')\n"
        "5"
    )
    result, _ = run(kernel, code)
    kinds = [output[0] for output in result["outputs"]]
    assert kinds == ["stream", "display", "stream", "result"]
    assert sorted(result["outputs"][0][1].split()) == ["one", "two"]
    assert result["outputs"][1][2]["text/html"] == "<b>three</b>"
    assert result["outputs"][2][1] == "four\n"
    assert result["outputs"][3][2] == {"text/plain": "5"}


@both
def test_an_error_is_a_result_with_its_place(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "print('before')\n\n1/0")
    assert not result["success"]
    assert result["error"] == ["ZeroDivisionError", "division by zero"]
    assert result["line"] == 3
    assert [output[0] for output in result["outputs"]] == ["stream", "error"]
    assert "ZeroDivisionError" in result["outputs"][1][1]


@both
def test_a_syntax_error_is_a_result(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "x = 1\ny = = 2")
    assert result["error"][0] == "SyntaxError"
    assert result["line"] == 2
    assert [output[0] for output in result["outputs"]] == ["error"]


@both
def test_an_exception_that_cannot_say_what_it_is_is_a_result(kernel: RealKernel, run: Any) -> None:
    code = "class Mute(Exception):\n    def __str__(self):\n        raise ValueError('no')\nraise Mute"
    result, _ = run(kernel, code)
    assert not result["success"]
    assert result["error"][0] in ("Mute", "ValueError")  # ipykernel itself trips over it


@both
def test_top_level_await_works(kernel: RealKernel, run: Any) -> None:
    code = "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')\n7"
    result, _ = run(kernel, code)
    assert result["success"], result
    assert [output[0] for output in result["outputs"]] == ["stream", "result"]
    assert kernel.execute("await asyncio.sleep(0.01); print('still')").expect_ok().text == "still\n"


@both
def test_a_failing_await_is_a_result(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "await asyncio.sleep(0)\nraise KeyError('gone')")
    assert result["error"][0] == "KeyError"
    assert result["line"] == 2


@both
def test_matplotlib_figures_are_captured(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert [output[0] for output in result["outputs"]] == ["display"]
    assert "image/png" in result["outputs"][0][2]
    result, _ = run(kernel, "await asyncio.sleep(0)\nplt.plot([1, 2]);")
    assert "image/png" in result["outputs"][0][2]


@both
def test_output_of_child_processes_is_captured(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "!echo from a child")
    assert "from a child" in "".join(output[1] for output in result["outputs"])


@both
def test_magics_and_help_work(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "%%python3\nprint('cell magic')", ", show=False")
    assert result["outputs"][0][1] == "cell magic\n"
    result, _ = run(kernel, "len?", ", show=False")
    assert "Return the number of items" in json.dumps(result["outputs"])
    assert kernel.execute("1").reply["content"]["payload"] == []


@both
def test_the_semicolon_that_counts_is_the_jobs_own(kernel: RealKernel, run: Any) -> None:
    kernel.execute("1;").expect_ok()
    result, _ = run(kernel, "2", ", show=False")
    assert [output[0] for output in result["outputs"]] == ["result"]
    result, _ = run(kernel, "2;", ", show=False")
    assert result["outputs"] == []


@both
def test_much_output_is_cut_and_says_so(kernel: RealKernel, run: Any) -> None:
    result, _ = run(kernel, "print('x' * 5_000_000)", ", show=False")
    text = result["outputs"][0][1]
    assert len(text) < 2_000_100
    assert text.endswith("[3,000,001 more bytes were not kept]\n")
    result, _ = run(kernel, "for i in range(700): display(i)", ", show=False")
    assert len(result["outputs"]) == 501
    assert result["outputs"][-1][1] == "[200 more outputs were not kept]\n"


@both
def test_an_updated_display_is_captured_once(kernel: RealKernel, run: Any) -> None:
    code = "h = display('first', display_id=True)\nh.update('second')"
    result, _ = run(kernel, code)
    assert [output[2]["text/plain"] for output in result["outputs"]] == ["'second'"]


@both
def test_a_cleared_output_is_forgotten(kernel: RealKernel, run: Any) -> None:
    code = "from IPython.display import clear_output\nprint('old')\nclear_output()\nprint('new')"
    result, _ = run(kernel, code)
    assert [output[1] for output in result["outputs"]] == ["new\n"]


def test_a_waiting_cell_shows_the_output_live(kernel: RealKernel) -> None:
    code = "print('early', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)\n6"
    cell = kernel.begin(f"result = run({code!r})")
    kernel.printed(cell, "early")
    assert not cell.ended
    kernel.until(lambda: touch(kernel, "go"))
    finished = kernel.finish(cell)
    assert finished.kinds == ["stream", "execute_result"]
    kernel.execute("os.remove('go')")


def touch(kernel: RealKernel, name: str) -> bool:
    (kernel.folder / name).touch()
    return True


def test_a_waiting_cell_shows_the_traceback(kernel: RealKernel) -> None:
    cell = kernel.execute("result = run('1/0')").expect_ok()
    assert cell.kinds == ["error"]


def test_hidden_code_shows_nothing_in_the_waiting_cell(kernel: RealKernel) -> None:
    code = (
        "print('secret')\ndisplay('secret')\nos.system('echo secret')\n"
        "import matplotlib.pyplot as plt\nplt.plot([1])\n1/0"
    )
    result, cell = run_waiting(kernel, code, ", show=False")
    assert cell.kinds == []
    assert {output[0] for output in result["outputs"]} == {"stream", "display", "error"}
    streams = "".join(output[1] for output in result["outputs"] if output[0] == "stream")
    assert streams.count("secret") == 2


def test_idle_output_lands_in_no_cell(kernel: RealKernel) -> None:
    code = "print('stale?')\ndisplay('stale?')\nos.system('echo from a child')\n'stale?'"
    result, cell = run_idle(kernel, code)
    assert len(result["outputs"]) >= 3
    shown = [
        m for m in kernel.everything() if "stale?" in str(m["content"]) and m["msg_type"] != "execute_input"
    ]
    assert [m for m in shown if m["parent_header"]["msg_id"] == cell.message_id] == []
    # What is left is our own reading of the result, printed as JSON, in one piece or several.
    assert {m["msg_type"] for m in shown} <= {"stream"}
    assert not any(m["content"]["text"].strip() == "stale?" for m in shown)
    # ipykernel reads what children print in a thread of its own: on a busy machine after the job has ended.
    assert "from a child" not in cell.text


def test_after_an_idle_job_threads_print_into_their_cell_again(kernel: RealKernel) -> None:
    run_idle(kernel, "1")
    cell = kernel.execute("t = threading.Thread(target=lambda: print('from a thread')); t.start(); t.join()")
    assert "from a thread" in cell.text


def test_output_can_be_published_under_a_parent_of_the_front_ends_making(kernel: RealKernel) -> None:
    result, cell = run_waiting(kernel, "print('routed')\n8", ", show='made-up-1'")
    assert cell.kinds == []
    assert kernel.outputs_of("made-up-1").kinds == ["stream", "execute_result"]
    assert [output[0] for output in result["outputs"]] == ["stream", "result"]


def test_output_is_told_as_it_comes(kernel: RealKernel) -> None:
    kernel.execute("""
heard = []
def hear(output):
    heard.append((output.kind, threading.current_thread().name))
result = run('print(1); display(2)\\n3', on_output=hear)
""").expect_ok()
    # In whatever pieces the stream came.
    assert kernel.value("list(dict.fromkeys(heard))") == (
        "[('stream', 'voice-kernel'), ('display', 'voice-kernel'), ('result', 'voice-kernel')]"
    )


def test_the_cells_own_result_survives_a_wait(kernel: RealKernel) -> None:
    cell = kernel.execute("result = run('x = 3', show=False)\n'own'").expect_ok()
    assert cell.text == "'own'"
    assert kernel.value("get_ipython().last_execution_result.success") == "True"


def test_a_figure_of_the_cell_is_not_taken_by_a_hidden_job(kernel: RealKernel) -> None:
    cell = kernel.execute(
        "import matplotlib.pyplot as plt\nplt.plot([3])\nresult = run('1', show=False)"
    ).expect_ok()
    assert "display_data" in cell.kinds
    assert kernel.value("[o.kind for o in result.outputs]") == "['result']"


def test_capture_magic_around_a_wait_gets_what_is_shown(kernel: RealKernel) -> None:
    cell = kernel.execute("%%capture got\nresult = run('print(\"inner\")\\ndisplay(9)')").expect_ok()
    assert cell.kinds == [], cell.messages
    assert kernel.value("got.stdout") == "'inner\\n'"
    assert kernel.value("[o.kind for o in result.outputs]") == "['stream', 'display']"


def test_an_idle_job_cannot_ask_for_input(kernel: RealKernel) -> None:
    result, _ = run_idle(kernel, "input('name?')")
    assert result["error"][0] == "StdinNotImplementedError"


def test_code_may_count_as_an_input_of_its_own(kernel: RealKernel) -> None:
    before = int(kernel.value("get_ipython().execution_count"))
    run_idle(kernel, "'kept'", ", store_history=True")
    assert kernel.value("[i for i in In if i == \"'kept'\"]") == "[\"'kept'\"]"
    assert int(kernel.value("get_ipython().execution_count")) > before


def test_waits_nest(kernel: RealKernel) -> None:
    inner = "inner = run('deep = 1; print(\"deepest\")'); print('inner')"
    cell = kernel.execute(f"result = run({inner!r}); print('outer')").expect_ok()
    assert cell.text.split() == ["deepest", "inner", "outer"]
    assert "deepest" in kernel.value("result.outputs[0].text")


def test_waits_nest_only_so_deep(kernel: RealKernel) -> None:
    kernel.execute("""
def down(n):
    return run(f"result{n} = down({n - 1})", show=False)
result5 = down(5)
""").expect_ok()
    assert "levels deep" in kernel.value("result4.error.message")
    assert kernel.value("door.waiting") == "False"
