"""What is shown stays in the cell it was made for, and can be replaced from anywhere."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from real_kernel import PROJECT, RealKernel


def updates(kernel: RealKernel, message_id: str) -> list[str]:
    return [
        message["content"]["data"]["text/plain"]
        for message in kernel.outputs_of(message_id).messages
        if message["msg_type"] == "update_display_data"
    ]


def test_a_display_is_updated_in_its_own_cell_after_it_ended(kernel: RealKernel) -> None:
    cell = kernel.execute("shown = door.show({'text/plain': 'running'})").expect_ok()
    assert cell.kinds == ["display_data"]
    kernel.execute("loop.call_soon(shown.update, {'text/plain': 'done'}, {'frozen': True})").expect_ok()
    kernel.until(lambda: updates(kernel, cell.message_id) == ["done"])
    first, last = (m for m in cell.messages if m["msg_type"].endswith("display_data"))
    assert first["content"]["transient"] == last["content"]["transient"]
    assert last["content"]["metadata"] == {"frozen": True}


def test_a_display_made_on_the_loop_thread_is_in_the_cell_that_waits(kernel: RealKernel) -> None:
    cell = kernel.execute("""
async def turn():
    shown = door.show({'text/plain': 'from the turn'})
    await door.run("print('between')")
    shown.update({'text/plain': 'updated'})
    return shown
shown = door.wait(loop, turn)
""").expect_ok()
    assert cell.kinds == ["display_data", "stream", "update_display_data"]
    kernel.execute("shown.update({'text/plain': 'later'})").expect_ok()
    kernel.until(lambda: updates(kernel, cell.message_id) == ["updated", "later"])


def test_the_next_cell_gets_code(kernel: RealKernel) -> None:
    cell = kernel.execute("""
async def turn():
    return door.set_next_input("plot(1)")
put = door.wait(loop, turn)
""").expect_ok()
    assert cell.reply["content"]["payload"] == [
        {"source": "set_next_input", "text": "plot(1)", "replace": False}
    ]
    assert kernel.value("put") == "True"


def test_without_a_wait_there_is_no_next_cell(kernel: RealKernel) -> None:
    kernel.execute("""
async def turn():
    return door.set_next_input("plot(1)")
job = loop.submit(turn())
put = job.result(60)
""").expect_ok()
    assert kernel.value("put, door.set_next_input('x')") == "(False, False)"


def test_a_front_end_with_a_person_can_be_asked(kernel: RealKernel) -> None:
    code = """
async def turn():
    return door.can_ask
print(door.can_ask, door.wait(loop, turn))
"""
    assert kernel.execute(code, allow_stdin=True).text == "True True\n"
    assert kernel.execute(code, allow_stdin=False).text == "False False\n"


def test_nbclient_saves_the_updated_display(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    setup = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from voice_kernel.kernel import Kernel
from voice_kernel.loop import AgentLoop
door, loop = Kernel(get_ipython()), AgentLoop()
"""
    turn = """
async def turn():
    await door.run("print('ran')")
    shown.update({'text/html': '<b>frozen</b>', 'text/plain': 'frozen'})
shown = door.show({'text/plain': 'running'})
door.wait(loop, turn)
print(door.can_ask)
"""
    notebook.cells = [nbformat.v4.new_code_cell(setup), nbformat.v4.new_code_cell(turn)]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[1].outputs
    assert outputs[0].data["text/html"] == "<b>frozen</b>"
    assert "ran" in outputs[1].text
    assert "False" in outputs[-1].text
