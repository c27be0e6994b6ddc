"""What code would do beyond the notebook, read from its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel.tools.sourcecode import effects_of_source, shell_commands


@pytest.mark.parametrize(
    ("code", "commands"),
    [
        ("!ls -la", ["ls -la"]),
        ("x = 1\n!rm -rf build", ["rm -rf build"]),
        ("files = !ls", ["ls"]),
        ("!!ls", ["ls"]),
        ("%%bash\nrm x\nls", ["rm x\nls"]),
        ("%%sh -e\nls", ["ls"]),
        ("%sx ls", [" ls"]),
        ("%system ls", [" ls"]),
        ("%pip install requests", ["pip install requests"]),
        ("if True:\n    !ls", ["ls"]),
        ("!rm {name}", ["rm $value"]),
        ("get_ipython().system('ls')", ["$(hidden)"]),
        ("get_ipython().run_line_magic('sx', 'ls')", ["$(hidden)"]),
        ("%rm -rf build", ["rm -rf build"]),
        ("rm -r build", ["rm -r build"]),
        ("pip install x", ["pip install x"]),
        ("%time !ls", ["ls"]),
        ("out = %sx ls", [" ls"]),
        ("%%writefile x.sh\nrm y", ["rm y"]),
        ("ls = 1\n%matplotlib inline", []),
        ("x = 1", []),
        ("x != 1", []),
        ("print('''\n!ls\n''')", []),
        ("%matplotlib inline", []),
        ("%%time\nx = 1", []),
        ("df.head()?", []),
    ],
)
def test_commands_hidden_in_code_are_found(code: str, commands: list[str]) -> None:
    assert shell_commands(code) == commands


@pytest.mark.parametrize(
    ("code", "effects"),
    [
        ("x = 1", {"execute"}),
        ("!ls", {"execute", "shell"}),
        ("%pip install x", {"execute", "shell", "install"}),
        ("%%bash\nrm x", {"execute", "shell", "delete"}),
        ("get_ipython().system(x)", {"execute", "shell", "unreadable"}),
        ("%run s.py", {"execute"}),
        ("%%time\n!rm x\nexit()", {"execute", "shell", "delete", "restart"}),
    ],
)
def test_a_shell_escape_needs_what_the_shell_needs(code: str, effects: set[str]) -> None:
    assert effects_of_source(code) == effects


@pytest.mark.parametrize(
    "code",
    [
        "exit()",
        "quit()",
        "exit",
        "quit",
        "/exit",
        "x = 1\nexit(0)",
        "if done:\n    quit()",
        "os._exit(1)",
        "import os\nos._exit(0)",
        "import os as o\no._exit(0)",
        "from os import _exit\n_exit(0)",
        "from os import _exit as leave\nleave(0)",
        "__import__('os')._exit(1)",
        "exec('import os; os._exit(1)')",
        "os.kill(os.getpid(), 9)",
        "os.abort()",
        "os.execv('/bin/true', [])",
        "get_ipython().ask_exit()",
        "get_ipython().kernel.do_shutdown(True)",
        "%time exit()",
        "%timeit -n 1 os._exit(0)",
        "%%time\nexit()",
        "%matplotlib inline\nquit()",
        "files = !ls\nexit()",
        "df.head()?\nexit()",
        "exit(",
        "%unload_ext voice_kernel",
        "reload_ext voice_kernel",
        "%killbgscripts",
    ],
)
def test_what_ends_the_kernel_or_the_session_asks_first(code: str) -> None:
    assert "restart" in effects_of_source(code)


@pytest.mark.parametrize(
    "code",
    [
        "%reset -f",
        "%reset",
        "reset -f",
        "%reset_selective x",
        "get_ipython().reset()",
        "ip.reset(new_session=False)",
        "globals().clear()",
        "%store -z",
        "os.remove('sales.csv')",
        "import shutil as s\ns.rmtree('build')",
        "from shutil import rmtree\nrmtree('build')",
        "Path('sales.csv').unlink()",
    ],
)
def test_what_deletes_for_good_asks_first(code: str) -> None:
    assert "delete" in effects_of_source(code)


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("%%writefile new.py\nx = 1", False),
        ("%%writefile old.py\nx = 1", True),
        ("%%writefile -a old.py\nx = 1", False),
        ("%%file 'old.py'\nx = 1", True),
    ],
)
def test_a_file_that_would_be_overwritten_asks_first(code: str, asks: bool, tmp_path: Path) -> None:
    (tmp_path / "old.py").touch()
    assert ("delete" in effects_of_source(code, tmp_path)) == asks


@pytest.mark.parametrize(
    "code",
    [
        "x = exit_code",
        "print('exit()')",
        "# exit()",
        "exit_code = 1\nexit_code",
        "text = '''\n%reset -f\n!rm x\n'''",
        "a = 7\\\n% 4",
        "df.reset_index()",
        "model.reset()",
        "reset = 3",
        "process.kill()",
        "sys.exit",
        "def quit_game():\n    return 1\nquit_game()",
        "%matplotlib inline",
        "%store x",
        "%unload_ext autoreload",
        "%time sum(range(10))",
        "%%timeit\nx = 1",
        "cache.clear()",
        "for x in (1, 2",
        "\0",
        "(" * 5_000,
    ],
)
def test_what_only_looks_alike_does_not_ask(code: str) -> None:
    assert effects_of_source(code) == {"execute"}
