"""No job is lost between the pump and the idle callback, and none outlives the door."""

from __future__ import annotations

import time

from real_kernel import RealKernel


def test_jobs_of_others_run_while_a_cell_waits_and_show_nothing_in_it(kernel: RealKernel) -> None:
    cell = kernel.execute("""
async def turn():
    return await asyncio.wrap_future(job)
job = loop.submit(door.run("print('foreign'); foreign = 1"))
result = door.wait(loop, turn)
""").expect_ok()
    assert cell.kinds == []
    assert kernel.value("foreign, result.outputs[0].text") == "(1, 'foreign\\n')"


def test_no_job_is_stranded_when_waits_end(kernel: RealKernel) -> None:
    """Waits end all the time while jobs arrive: each job must run, in the wait or after it."""
    kernel.execute("""
ran = []
async def flood(jobs):
    for i in range(jobs):
        tasks.append(asyncio.ensure_future(door.run(f"ran.append({i})", show=False)))
        await asyncio.sleep((i % 5) * 0.0003)
    await asyncio.wait(tasks)
tasks = []
flooding = loop.submit(flood(400))
async def brief():
    await asyncio.sleep(0.0007)
""").expect_ok()
    deadline = time.monotonic() + 600
    while (
        kernel.execute("for _ in range(5): door.wait(loop, brief)\nflooding.done()").expect_ok().text
        != "True"
    ):
        assert time.monotonic() < deadline
    assert kernel.value("len(ran), all(t.result().success for t in tasks)") == "(400, True)"


def test_a_job_that_arrives_as_the_wait_ends_runs_when_idle(kernel: RealKernel) -> None:
    kernel.execute("""
async def leave_one_behind():
    global left
    left = asyncio.ensure_future(door.run("late = 'ran'"))
    await asyncio.sleep(0)
for _ in range(200):
    door.wait(loop, leave_one_behind)
""").expect_ok()
    kernel.until_true("left.done()")
    assert kernel.value("late, len(door._jobs)") == "('ran', 0)"


def test_cells_get_their_turn_between_idle_jobs(kernel: RealKernel) -> None:
    kernel.execute("""
enough = False
async def again_and_again():
    while not enough:
        await door.run("time.sleep(0.01)")
async def many():
    await asyncio.gather(*[again_and_again() for _ in range(50)])
job = loop.submit(many())
""").expect_ok()
    assert kernel.value("job.done()") == "False"
    kernel.execute("enough = True").expect_ok()
    kernel.until_true("job.done()")
    assert kernel.value("len(door._jobs)") == "0"


def test_jobs_run_in_the_order_they_came(kernel: RealKernel) -> None:
    kernel.execute("""
order = []
async def turn():
    await asyncio.gather(*[door.run(f"order.append({i})") for i in range(50)])
door.wait(loop, turn)
""").expect_ok()
    assert kernel.value("order == list(range(50))") == "True"


def test_the_queue_has_a_limit(kernel: RealKernel) -> None:
    cell = kernel.execute("""
from voice_kernel.errors import KernelError
async def turn():
    tasks = [asyncio.ensure_future(door.run("1")) for _ in range(1001)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks)
    return sum(1 for task in done if not task.cancelled() and isinstance(task.exception(), KernelError))
print(loop.submit(turn()).result(60))
""").expect_ok()
    assert cell.text == "1\n"


def test_a_closed_door_ends_what_waits_before_it(new_kernel: RealKernel) -> None:
    new_kernel.execute("""
jobs = [loop.submit(door.run("never = 1")) for _ in range(3)]
while len(door._jobs) < 3: time.sleep(0.001)
door.close()
later = loop.submit(door.run("2"))
""").expect_ok()
    new_kernel.until_true("all(job.done() for job in [*jobs, later])")
    assert new_kernel.value("{type(job.exception()).__name__ for job in [*jobs, later]}") == "{'KernelError'}"
    assert new_kernel.value("'never' in globals()") == "False"


def test_the_kernel_shuts_down_with_work_pending(new_kernel: RealKernel) -> None:
    new_kernel.execute("""
async def stubborn():
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass
waiting = [loop.submit(asyncio.sleep(600)) for _ in range(20)]
hanging = loop.submit(stubborn())
jobs = [loop.submit(door.run("time.sleep(0.01)")) for _ in range(500)]
""").expect_ok()
    new_kernel.manager.request_shutdown()
    new_kernel.until(lambda: not new_kernel.manager.is_alive())  # what is pending takes for ever


def test_a_forked_child_does_not_believe_it_has_a_loop(kernel: RealKernel) -> None:
    cell = kernel.execute("""
loop.run_sync(asyncio.sleep(0), 60)
read, write = os.pipe()
child = os.fork()
if child == 0:
    async def answer():
        return 'own'
    try:
        os.write(write, f"{loop.running} {loop.run_sync(answer(), 60)}".encode())
    finally:
        os._exit(0)
os.waitpid(child, 0)
print(os.read(read, 100).decode(), loop.running)
""").expect_ok()
    assert cell.text == "False own True\n"


def test_front_ends_see_the_kernel_busy_while_an_idle_job_runs(kernel: RealKernel) -> None:
    kernel.execute("job = loop.submit(door.run('await asyncio.sleep(0)'))").expect_ok()
    kernel.until_true("job.done()")
    own = [
        message["content"]["execution_state"]
        for message in kernel.everything()
        if message["msg_type"] == "status" and message["parent_header"].get("msg_id") not in kernel.sent
    ]
    assert own[-2:] == ["busy", "idle"]


def test_a_wait_in_a_subshell_leaves_the_code_to_the_main_thread(kernel: RealKernel) -> None:
    kernel.client.control_channel.send(kernel.client.session.msg("create_subshell_request", {}))
    subshell = kernel.client.get_control_msg(timeout=60)["content"]["subshell_id"]
    cell = kernel.begin(
        "result = run('where = threading.current_thread() is threading.main_thread()')",
        subshell_id=subshell,
    )
    kernel.finish(cell).expect_ok()
    assert kernel.value("result.success, where") == "(True, True)"
