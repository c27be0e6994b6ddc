"""An interrupt ends what it is meant for, and nothing else."""

from __future__ import annotations

import time
import uuid

import pytest
from real_kernel import Cell, RealKernel

ENDLESS = "print('begun', flush=True)\nwhile True: time.sleep(0.05)"
ENDLESS_ASYNC = "print('begun', flush=True)\nwhile True: await asyncio.sleep(0.05)"
BLOCKED = "threading.Timer(0.5, print, ['begun'], {'flush': True}).start()\ntime.sleep(600)"
"""Says that it has begun once it sleeps: a press of the moment before, Python would hear only afterwards."""
SPIN_AFTER_AWAIT = "await asyncio.sleep(0)\nprint('begun', flush=True)\nwhile True: pass"

LONG_S = 240.0
"""For hundreds of interrupts, one after the other."""

endless = pytest.mark.parametrize(
    "code",
    [ENDLESS, BLOCKED, ENDLESS_ASYNC, SPIN_AFTER_AWAIT],
    ids=["loop", "sleep", "await", "spin after await"],
)


def interrupt(kernel: RealKernel, cell: Cell) -> None:
    """Press the button and wait for the end of the cell, which would not come without it."""
    kernel.interrupt()
    kernel.finish(cell)


@endless
def test_the_button_interrupts_code_that_a_wait_runs(kernel: RealKernel, code: str) -> None:
    cell = kernel.begin(f"result = run({code!r})")
    kernel.printed(cell, "begun")
    interrupt(kernel, cell)
    assert kernel.value("result.interrupted, result.success, result.error.kind") == (
        "(True, False, 'KeyboardInterrupt')"
    )
    assert kernel.execute("await asyncio.sleep(0); print('well')").expect_ok().text == "well\n"


PRESS_WHILE_COMPILING = """
import signal, sys
pressed = []
def press(event, arguments):
    if event == 'compile' and pressed:
        pressed.clear()
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(press)
"""


def test_the_button_interrupts_awaited_code_between_two_of_its_statements(kernel: RealKernel) -> None:
    kernel.execute(PRESS_WHILE_COMPILING).expect_ok()
    code = "await asyncio.sleep(0)\npressed.append(True)\nwhile True: pass"
    kernel.execute(f"result = run({code!r})")
    assert kernel.value("result.interrupted, result.success") == "(True, False)"
    assert kernel.execute("await asyncio.sleep(0); print('well')").expect_ok().text == "well\n"


@endless
def test_the_button_interrupts_code_that_runs_when_idle(kernel: RealKernel, code: str) -> None:
    seen = f"seen-{uuid.uuid4()}"
    kernel.execute(f"job = loop.submit(door.run({code!r}, show={seen!r}))").expect_ok()
    kernel.printed(kernel.outputs_of(seen), "begun")
    kernel.interrupt()
    later = kernel.execute("job.result(60).interrupted").expect_ok()
    assert later.text == "True"


def test_the_button_cancels_the_coroutine_that_is_waited_for(kernel: RealKernel) -> None:
    kernel.execute("""
ended = []
async def turn():
    say('waiting')
    try:
        await asyncio.sleep(600)
    finally:
        ended.append('clean')
other = loop.submit(asyncio.sleep(600))
""").expect_ok()
    cell = kernel.begin("door.wait(loop, turn)")
    kernel.printed(cell, "waiting")
    interrupt(kernel, cell)
    assert kernel.finish(cell).status == "error"
    assert kernel.finish(cell).reply["content"]["ename"] == "KeyboardInterrupt"
    assert kernel.value("ended, other.done(), door.waiting") == "(['clean'], False, False)"
    kernel.execute("other.cancel()")


def test_an_interrupted_coroutine_may_still_give_its_result(kernel: RealKernel) -> None:
    kernel.execute("""
async def turn():
    say('waiting')
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        return 'tidied'
""").expect_ok()
    cell = kernel.begin("given = door.wait(loop, turn)")
    kernel.printed(cell, "waiting")
    interrupt(kernel, cell)
    assert kernel.value("given") == "'tidied'"


def test_a_second_press_ends_a_wait_whose_coroutine_does_not(kernel: RealKernel) -> None:
    kernel.execute("""
import voice_kernel.kernel.door as limits
grace_s, limits.INTERRUPT_GRACE_S = limits.INTERRUPT_GRACE_S, 600  # it is the press that ends it
release = asyncio.Event()
async def stubborn():
    say('waiting')
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        say('holding')
        await release.wait()
""").expect_ok()
    cell = kernel.begin("door.wait(loop, stubborn)")
    kernel.printed(cell, "waiting")
    kernel.interrupt()
    kernel.printed(cell, "holding")
    interrupt(kernel, cell)
    assert kernel.finish(cell).reply["content"]["ename"] == "KeyboardInterrupt"
    kernel.execute("loop.call_soon(release.set); limits.INTERRUPT_GRACE_S = grace_s").expect_ok()


def test_a_coroutine_cancelled_by_others_is_no_interrupt(kernel: RealKernel) -> None:
    cell = kernel.execute("""
async def turn():
    asyncio.current_task().cancel()
    await asyncio.sleep(600)
try:
    door.wait(loop, turn)
except asyncio.CancelledError:
    print('cancelled')
""")
    assert cell.text == "cancelled\n"


@endless
def test_cancelling_the_caller_interrupts_the_code_that_a_wait_runs(kernel: RealKernel, code: str) -> None:
    cell = kernel.execute(f"""
async def turn():
    begun = asyncio.Event()
    task = asyncio.ensure_future(door.run({code!r}, on_output=lambda o: begun.set()))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()
print(door.wait(loop, turn))
""").expect_ok()
    assert cell.text.endswith("True\n")


@endless
def test_cancelling_the_caller_interrupts_the_code_that_runs_when_idle(kernel: RealKernel, code: str) -> None:
    kernel.execute(f"""
async def turn():
    begun = asyncio.Event()
    task = asyncio.ensure_future(door.run({code!r}, on_output=lambda o: begun.set()))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()
job = loop.submit(turn())
""").expect_ok()
    kernel.until_true("job.done()")
    assert kernel.value("job.result()") == "True"


def test_a_cancelled_job_never_starts(kernel: RealKernel) -> None:
    kernel.execute("""
async def turn():
    task = asyncio.ensure_future(door.run("started = True"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled(), len(door._jobs)
started = False
print(loop.submit(turn()).result(60))
""").expect_ok()
    assert kernel.execute("started").expect_ok().text == "False"


def test_a_cancelled_job_inside_a_wait_takes_the_waits_inside_it_along(kernel: RealKernel) -> None:
    kernel.execute("""
async def inner():
    holding.set()
    try:
        await asyncio.sleep(600)
    finally:
        ended.append('inner')
async def outer():
    task = asyncio.ensure_future(door.run("door.wait(loop, inner)"))
    await asyncio.to_thread(holding.wait)
    task.cancel()
    await asyncio.wait([task])
    ended.append(task.cancelled())
    return (await door.run("6 * 7")).outputs[0].data['text/plain']
ended, holding = [], threading.Event()
""").expect_ok()
    cell = kernel.execute("print(door.wait(loop, outer), ended)").expect_ok()
    assert "42 ['inner', True]" in cell.text


def test_an_interrupt_never_hits_the_wrong_code(kernel: RealKernel) -> None:
    """Jobs are cancelled at every moment of their short lives; what runs between them is never hit."""
    cell = kernel.execute(
        """
async def storm(rounds):
    wrong = 0
    for i in range(rounds):
        task = asyncio.ensure_future(door.run(f"x = {i}\\nfor _ in range({i % 7} * 300): pass", show=False))
        innocent = asyncio.ensure_future(door.run("for _ in range(500): pass", show=False))
        await asyncio.sleep((i % 29) * 0.00025)
        task.cancel()
        result = await innocent
        wrong += not result.success
        await asyncio.wait([task])
    return wrong
print('wrong:', door.wait(loop, lambda: storm(250)))
""",
        timeout_s=LONG_S,
    )
    assert "wrong: 0" in cell.expect_ok().text


def test_an_interrupt_never_hits_a_cell_instead_of_an_idle_job(kernel: RealKernel) -> None:
    kernel.execute("""
async def storm(rounds):
    for i in range(rounds):
        task = asyncio.ensure_future(door.run("for _ in range(2000): pass"))
        await asyncio.sleep((i % 13) * 0.0005)
        task.cancel()
        await asyncio.wait([task])
job = loop.submit(storm(300))
""").expect_ok()
    deadline = time.monotonic() + LONG_S
    while kernel.execute("for _ in range(20000): pass\njob.done()").expect_ok().text != "True":
        assert time.monotonic() < deadline


def test_code_that_changes_the_handler_does_not_disarm_the_button(kernel: RealKernel) -> None:
    cell = kernel.begin("""
async def turn():
    await door.run("signal.signal(signal.SIGINT, signal.SIG_IGN)")
    say('waiting')
    await asyncio.sleep(600)
door.wait(loop, turn)
""")
    kernel.printed(cell, "waiting")
    interrupt(kernel, cell)
    assert kernel.finish(cell).reply["content"]["ename"] == "KeyboardInterrupt"


def test_the_door_can_press_the_button_itself(kernel: RealKernel) -> None:
    cell = kernel.begin(
        "timer = threading.Timer(0.2, door.interrupt)\n"
        "try:\n    timer.start()\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    )
    kernel.finish(cell)
    assert cell.text == "interrupted\n"
    kernel.execute("before = signal.getsignal(signal.SIGINT)")
    assert kernel.value("door.waiting") == "False"


def test_interrupting_an_idle_kernel_does_nothing(kernel: RealKernel) -> None:
    cell = kernel.execute("""
def press():
    while door._jupyter.is_busy:
        time.sleep(0.01)
    print('pressed', door.interrupt(), flush=True)
threading.Thread(target=press).start()
""")
    kernel.printed(cell, "pressed False")
    assert kernel.execute("'alive'").expect_ok().text == "'alive'"
