"""Messages of a surface arrive while the main thread runs a cell, and leave that cell alone."""

from __future__ import annotations

from typing import Any

import pytest
from real_kernel import TIMEOUT_S, Cell, RealKernel

TARGET = """
from voice_kernel.ui.channel import register_target
arrived, channels, closed = [], [], []
def on_open(channel, data):
    channels.append(channel)
    def on_message(message, buffers):
        arrived.append((message, buffers, threading.current_thread() is threading.main_thread()))
        channel.send({'echo': message, 'count': len(arrived)}, [bytes(reversed(b)) for b in buffers])
    channel.on_message(on_message)
    channel.on_close(lambda: closed.append(True))
stop_accepting = register_target(on_open, door.route)
"""


def send(kernel: RealKernel, message_type: str, content: dict[str, Any], buffers: Any = ()) -> str:
    """Send a comm message as a client does that knows of no subshells; return its id."""
    session = kernel.client.session
    message = session.msg(message_type, content)
    assert "subshell_id" not in message["header"]
    session.send(kernel.client.shell_channel.socket, message, buffers=list(buffers))
    return str(message["header"]["msg_id"])


def open_comm(kernel: RealKernel, comm_id: str) -> None:
    kernel.execute(TARGET).expect_ok()
    send(kernel, "comm_open", {"comm_id": comm_id, "target_name": "voice_kernel", "data": {"hello": 1}})
    kernel.until_true("channels")


def say(kernel: RealKernel, comm_id: str, data: Any, buffers: Any = ()) -> str:
    return send(kernel, "comm_msg", {"comm_id": comm_id, "data": data}, buffers)


def handled(kernel: RealKernel, message_id: str) -> None:
    """Wait until the kernel is over and done with a message."""
    kernel.until(
        lambda: any(
            message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
            and message["parent_header"].get("msg_id") == message_id
            for message in kernel.everything()
        )
    )


def echoes(kernel: RealKernel, comm_id: str) -> list[dict[str, Any]]:
    return [
        message
        for message in kernel.everything()
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == comm_id
    ]


def busy(kernel: RealKernel, code: str = "") -> Cell:
    cell = kernel.begin(
        f"print('busy', flush=True)\n{code}\nwhile not os.path.exists('free'): time.sleep(0.01)"
    )
    kernel.printed(cell, "busy")
    return cell


def free(kernel: RealKernel, cell: Cell) -> None:
    (kernel.folder / "free").touch()
    kernel.finish(cell)
    kernel.execute("os.remove('free')")


def test_a_comm_message_arrives_while_a_cell_runs(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-1")
    cell = busy(kernel)
    say(kernel, "busy-1", {"press": "cancel"}, [b"abc"])
    kernel.until(lambda: bool(echoes(kernel, "busy-1")))
    assert not cell.ended
    [echo] = echoes(kernel, "busy-1")
    assert echo["content"]["data"] == {"echo": {"press": "cancel"}, "count": 1}
    assert [bytes(buffer) for buffer in echo["buffers"]] == [b"cba"]
    free(kernel, cell)
    assert kernel.value("arrived") == "[({'press': 'cancel'}, [b'abc'], False)]"


def test_a_comm_opened_by_the_kernel_is_reached_too(kernel: RealKernel) -> None:
    kernel.execute("""
import comm
from voice_kernel.ui.channel import CommChannel
mine = comm.create_comm(target_name='anything', comm_id='mine-1')
reach = door.route(mine)
channel = CommChannel(mine, door.route)
channel.on_message(lambda message, buffers: channel.send({'got': message}))
mine.send({'made': 'in a cell'})
""").expect_ok()
    assert kernel.value("reach") == "'owned'"
    cell = busy(kernel, "mine.send({'sent': 'by the busy cell'})")
    say(kernel, "mine-1", {"n": 1})
    kernel.until(lambda: any("got" in echo["content"]["data"] for echo in echoes(kernel, "mine-1")))
    assert not cell.ended
    free(kernel, cell)


def test_a_widget_is_reached_too(kernel: RealKernel) -> None:
    kernel.execute("""
import anywidget
from voice_kernel.ui.channel import WidgetChannel
class Panel(anywidget.AnyWidget):
    _esm = "export default {}"
panel = Panel()
channel = WidgetChannel(panel, door.route)
heard, gone = [], []
def hear(message, buffers):
    heard.append(message)
    channel.send({'heard': len(heard)}, [b'x'])
channel.on_message(hear)
channel.on_close(lambda: gone.append(1))
""").expect_ok()
    comm_id = eval(kernel.value("panel.comm.comm_id"))
    cell = busy(kernel)
    say(kernel, comm_id, {"method": "custom", "content": {"a": 1}})

    def answered() -> bool:
        return any(echo["content"]["data"].get("method") == "custom" for echo in echoes(kernel, comm_id))

    kernel.until(answered)
    assert not cell.ended
    free(kernel, cell)
    assert kernel.value("heard, gone") == "([{'a': 1}], [])"
    send(kernel, "comm_close", {"comm_id": comm_id, "data": {}})
    kernel.until_true("gone")
    kernel.execute("channel.send({'late': 1}); channel.close(); channel.close()").expect_ok()


def test_messages_arrive_whole_and_in_order(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-2")
    cell = busy(kernel)
    for i in range(100):
        say(kernel, "busy-2", {"i": i}, [bytes([i]) * 1280])
    kernel.until(lambda: len(echoes(kernel, "busy-2")) == 100)
    free(kernel, cell)
    assert kernel.value("[m['i'] for m, b, main in arrived] == list(range(100))") == "True"
    assert kernel.value("all(b == [bytes([m['i']]) * 1280] for m, b, main in arrived)") == "True"


def test_messages_leave_the_figures_of_the_running_cell_alone(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-3")
    cell = busy(kernel, "import matplotlib.pyplot as plt; plt.plot([1, 2]); print('drawn', flush=True)")
    kernel.printed(cell, "drawn")
    handled(kernel, say(kernel, "busy-3", {"n": 1}))
    assert len(echoes(kernel, "busy-3")) == 1
    assert "display_data" not in cell.kinds
    free(kernel, cell)
    assert "display_data" in cell.kinds


def test_messages_leave_the_output_of_child_processes_in_the_running_cell(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-4")
    cell = kernel.begin(
        "print('busy', flush=True)\nwhile not arrived: time.sleep(0.01)\n"
        "while not os.path.exists('free'): time.sleep(0.01)\n"
        "os.system('echo from a child')\nt = threading.Thread(target=print, args=('from a thread',))\n"
        "t.start(); t.join()"
    )
    kernel.printed(cell, "busy")
    handled(kernel, say(kernel, "busy-4", {"n": 1}))
    free(kernel, cell)
    kernel.printed(cell, "from a child")
    kernel.printed(cell, "from a thread")


def test_messages_arrive_while_a_cell_is_captured(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-5")
    cell = kernel.begin(
        "%%capture\nopen('captured', 'w').close()\nwhile not os.path.exists('free'): time.sleep(0.01)"
    )
    kernel.until(lambda: (kernel.folder / "captured").exists() or kernel.take_in())
    say(kernel, "busy-5", {"n": 1})
    kernel.until(lambda: bool(echoes(kernel, "busy-5")))
    assert not cell.ended
    free(kernel, cell)


def test_a_closed_comm_is_told_once(kernel: RealKernel) -> None:
    open_comm(kernel, "busy-6")
    send(kernel, "comm_close", {"comm_id": "busy-6", "data": {}})
    kernel.until_true("closed")
    kernel.execute("channels[0].close(); channels[0].send({'late': 1})").expect_ok()
    assert kernel.value("closed") == "[True]"
    kernel.execute("again = []; channels[0].on_close(lambda: again.append(1))").expect_ok()
    assert kernel.value("again") == "[1]"


def test_a_target_can_be_given_up(kernel: RealKernel) -> None:
    kernel.execute(TARGET + "stop_accepting(); stop_accepting()").expect_ok()
    send(kernel, "comm_open", {"comm_id": "late-1", "target_name": "voice_kernel", "data": {}})
    assert kernel.value("channels") == "[]"


def test_a_control_message_arrives_while_a_cell_runs(kernel: RealKernel) -> None:
    kernel.execute("controls = []\nok = door.on_control(lambda m, b: controls.append((m, b)))").expect_ok()
    cell = busy(kernel)
    reply = control(kernel, {"type": "interrupt"})
    assert reply["msg_type"] == "voice_kernel_reply"
    assert reply["content"] == {"status": "ok"}
    assert not cell.ended
    free(kernel, cell)
    assert kernel.value("ok, controls") == "(True, [({'type': 'interrupt'}, [])])"


def test_a_control_message_that_cannot_be_taken_says_so(kernel: RealKernel) -> None:
    kernel.execute("door.on_control(lambda m, b: 1 / 0)").expect_ok()
    assert control(kernel, {"type": "x"})["content"]["status"] == "error"


def control(kernel: RealKernel, content: dict[str, Any]) -> dict[str, Any]:
    message = kernel.client.session.msg("voice_kernel_request", content)
    kernel.client.control_channel.send(message)
    return kernel.client.get_control_msg(timeout=TIMEOUT_S)


@pytest.mark.parametrize(
    ("missing", "reach"),
    [
        ("del type(thread.manager)._create_subshell", "named"),
        ("from ipykernel.comm.comm import BaseComm; del BaseComm._reply_subshell_for", "named"),
        ("get_ipython().kernel.shell_channel_thread = None", "none"),
    ],
)
def test_another_ipykernel_is_told_from_this_one(new_kernel: RealKernel, missing: str, reach: str) -> None:
    cell = new_kernel.begin(f"""
import comm
kernel, thread = get_ipython().kernel, get_ipython().kernel.shell_channel_thread
{missing}
if {reach == "none"}:
    from ipykernel.comm.comm import BaseComm
    del BaseComm._reply_subshell_for
print(door.route(comm.create_comm(target_name='any')), flush=True)
kernel.shell_channel_thread = thread
""")
    new_kernel.printed(cell, reach)
