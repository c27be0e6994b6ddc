"""The door works in an IPython without a Jupyter kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_kernel import PROJECT, SETUP

CHECKS = '''
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
def cell(code):
    result = shell.run_cell(code)
    result.raise_error()
cell("""{setup}""")
cell("""
from voice_kernel.errors import KernelError
def kinds(result):
    return [output.kind for output in result.outputs]

shown = run("print('out')\\\\ndisplay({{'a': 1}})\\\\n6 * 7")
assert kinds(shown) == ["stream", "display", "result"], shown
assert shown.outputs[0].text == "out\\\\n" and shown.outputs[2].data["text/plain"] == "42", shown

hidden = run("print('SECRET')\\\\ndisplay('SECRET')\\\\n'SECRET'", show=False)
assert kinds(hidden) == ["stream", "display", "result"], hidden

failed = run("1/0", show=False)
assert kinds(failed) == ["error"] and failed.line == 1 and failed.error.kind == "ZeroDivisionError", failed

awaited = run("import asyncio\\\\nawait asyncio.sleep(0.01)\\\\n'awaited'")
assert awaited.success and kinds(awaited) == ["result"], awaited

nested = run("print(run('7', show=False).outputs[0].data['text/plain'])")
assert nested.outputs[0].text == "7\\\\n", nested

idle = loop.submit(door.run("1"))
assert isinstance(idle.exception(60), KernelError)

assert not door.has_kernel and not door.on_control(print) and door.route(object()) == "none"
door.show({{"text/plain": "card"}}).update({{"text/plain": "frozen card"}})

async def turn():
    door.set_next_input("next")
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(600)
try:
    door.wait(loop, turn)
except KeyboardInterrupt:
    print("interrupted while waiting")
begun = threading.Event()
threading.Thread(target=lambda: (begun.wait(), os.kill(os.getpid(), signal.SIGINT))).start()
result = run("begun.set()\\\\nwhile True: await asyncio.sleep(0.01)", show=False)
assert result.interrupted, result
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert sys.stdout is sys.__stdout__
""")
assert shell.rl_next_input == "next"
print("all is well")
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(PROJECT)}


def test_code_runs_while_a_magic_waits_in_a_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "checks.py"
    script.write_text(CHECKS.format(setup=SETUP))
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.stdout.splitlines()[-1:] == ["all is well"], done.stdout + done.stderr
    assert "SECRET" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[:3] == ["out", "{'a': 1}", "Out[1]: 42"] or "42" in done.stdout
    assert [line for line in lines if "card" in line] == ["card", "frozen card"]
    assert "interrupted while waiting" in lines
