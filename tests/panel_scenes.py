"""States of the panel worth looking at, as the real wire messages that lead to them."""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

from voice_kernel.messages import (
    About,
    Approval,
    Call,
    Keeping,
    Notice,
    Output,
    PastTask,
    Problem,
    Progress,
    Result,
    Speech,
    State,
    Task,
    TaskOutput,
    TestCase,
    TestReport,
    Thread,
    ToSurface,
    Turn,
)

ABOUT = About(version="0.1.0", shell_allowed=True, cwd="/home/ada/analysis")

PYTEST_TAIL = (
    "\x1b[1m============================= test session starts ==============================\x1b[0m\n"
    "collected 48 items\n\n"
    "tests/unit/test_cart.py \x1b[32m.\x1b[0m\x1b[32m.\x1b[0m\x1b[31mF\x1b[0m\x1b[32m.\x1b[0m"
    "\x1b[33ms\x1b[0m\x1b[32m.....\x1b[0m                                 [ 21%]\n"
    "tests/unit/test_prices.py \x1b[32m............\x1b[0m                          [ 46%]\n"
)
SHELL_TAIL = (
    "\x1b[36mCloning into\x1b[0m 'widgets'...\n"
    "remote: Enumerating objects: 1204, done.\n"
    "Receiving objects:  10%\rReceiving objects:  58%\rReceiving objects: 100% (1204/1204), 2.41 MiB, done.\n"
    "\x1b[33mwarning:\x1b[0m redirecting to the new address\n"
    "\x1b[1;32mInstalled\x1b[0m 14 packages \x1b[2min 812 ms\x1b[0m\n"
    " \x1b[32m+\x1b[0m numpy 2.3.1\n \x1b[32m+\x1b[0m pandas 3.0.2\n \x1b[31m-\x1b[0m polars 1.31.0\n"
)


def bars_png(width: int = 480, height: int = 200) -> str:
    """Return a small bar chart as base64 PNG, drawn without any library."""
    heights = (0.35, 0.55, 0.48, 0.8, 0.62, 0.95, 0.7, 0.4)
    rows = []
    for y in range(height):
        row = bytearray(b"\x00")
        for x in range(width):
            bar = x * len(heights) // width
            inside = (x * len(heights) % width) > width * 0.18 and height - y < heights[bar] * (height - 10)
            row += b"\x1f\x77\xb4" if inside else b"\xff\xff\xff"
        rows.append(bytes(row))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )
    return base64.b64encode(png).decode()


def turn(number: int, text: str, **changes: Any) -> Turn:
    """Return a finished spoken turn."""
    values: dict[str, Any] = {
        "id": number,
        "state": "succeeded",
        "origin": "voice",
        "text": text,
        "route": "intents",
        "created_at": time.time() - 60,
        "latency_s": 0.184,
        "audio_s": 1.4,
    }
    return Turn(**{**values, **changes})


def task(number: int, turn_id: int, title: str, **changes: Any) -> Task:
    """Return a finished task."""
    now = time.time()
    values: dict[str, Any] = {
        "id": number,
        "turn_id": turn_id,
        "tool": title.split()[0],
        "title": title,
        "state": "succeeded",
        "created_at": now - 60,
        "started_at": now - 60,
        "ended_at": now - 55.8,
    }
    return Task(**{**values, **changes})


def failed_tests(number: int = 2, turn_id: int = 2) -> Task:
    """Return a test run with two failures."""
    cases = [
        TestCase(
            id="tests/unit/test_cart.py::TestCart::test_total_counts_each_item_once",
            outcome="failed",
            file="tests/unit/test_cart.py",
            line=42,
            duration_s=0.004,
            message="AssertionError: assert Decimal('59.97') == Decimal('39.98')",
            detail=(
                "    def test_total_counts_each_item_once(self):\n"
                "        cart = Cart([Item('mug', 2, '19.99')])\n"
                "\x1b[1m\x1b[31m>       assert cart.total == Decimal('39.98')\x1b[0m\n"
                "\x1b[1m\x1b[31mE       AssertionError: assert Decimal('59.97') == Decimal('39.98')\x1b[0m\n"
                "\n"
                "tests/unit/test_cart.py:42: AssertionError"
            ),
        ),
        TestCase(
            id="tests/unit/test_prices.py::test_a_missing_rate_is_named[EUR-XXX]",
            outcome="error",
            file="tests/unit/test_prices.py",
            line=17,
            message="fixture 'rates' not found",
            detail="E       fixture 'rates' not found",
        ),
    ]
    cases += [
        TestCase(id=f"tests/unit/test_prices.py::test_case_{n}", outcome="passed", duration_s=0.002)
        for n in range(6)
    ]
    cases.append(TestCase(id="tests/unit/test_slow.py::test_all_rates", outcome="skipped"))
    report = TestReport(passed=45, failed=1, errors=1, skipped=1, duration_s=2.71, cases=cases)
    return task(
        number,
        turn_id,
        "run_tests tests/unit",
        state="failed",
        tail=PYTEST_TAIL,
        output_bytes=4_812,
        log_path="/home/ada/.local/share/jupyter/voice_kernel/logs/2026-11-22/0002-run_tests.log",
        result=Result(summary="1 failed, 1 error, 45 passed", tests=report, exit_code=1),
    )


def running_shell(number: int = 3, turn_id: int = 3) -> Task:
    """Return a shell command under way."""
    return task(
        number,
        turn_id,
        "run_shell git clone https://example.org/widgets && uv pip sync",
        state="running",
        started_at=time.time() - 14,
        ended_at=None,
        tail=SHELL_TAIL,
        output_bytes=1_204_000,
        log_path="/home/ada/.local/share/jupyter/voice_kernel/logs/2026-11-22/0003-run_shell.log",
    )


def approval(number: int = 1, task_id: int = 5, **changes: Any) -> Approval:
    """Return a card that waits."""
    values: dict[str, Any] = {
        "id": number,
        "task_id": task_id,
        "tool": "run_shell",
        "arguments": {"command": "uv pip install polars --upgrade", "timeout": 120},
        "target": "uv pip install polars --upgrade",
        "reason": "This installs packages into the environment that your kernel runs in.",
        "created_at": time.time(),
    }
    return Approval(**{**values, **changes})


def state(**changes: Any) -> State:
    """Return a state with a ready recogniser."""
    return State(**{"about": ABOUT, "speech": Speech(state="ready"), **changes})


def first_run() -> list[ToSurface]:
    """Nothing was said yet."""
    return [state()]


def working() -> list[ToSurface]:
    """A failed test run, and a shell command under way."""
    turns = [
        turn(1, "list files", calls=[Call(tool="list_files", arguments={"path": "."})]),
        turn(
            2,
            "run the tests in tests slash unit",
            calls=[Call(tool="run_tests", arguments={"path": "tests/unit"})],
        ),
        turn(
            3,
            "clone the widgets and sync",
            state="running",
            route="fuzzy",
            calls=[Call(tool="run_shell", arguments={"command": "git clone https://example.org/widgets"})],
        ),
    ]
    tasks = [
        task(
            1, 1, "list_files .", result=Result(summary="12 files and 3 folders"), tail="README.md\ntests/\n"
        ),
        failed_tests(),
        running_shell(),
    ]
    return [
        state(turns=turns, tasks=tasks),
        TaskOutput(
            task_id=3, text=" \x1b[32m+\x1b[0m scipy 1.16.0\n", output_bytes=1_204_050, skipped_bytes=902_000
        ),
    ]


def testing() -> list[ToSurface]:
    """A test run with progress."""
    run = task(
        1,
        1,
        "run_tests tests",
        state="running",
        ended_at=None,
        started_at=time.time() - 3,
        tail=PYTEST_TAIL,
        output_bytes=612,
        progress=Progress(fraction=0.46, label="22 of 48, 1 failed"),
    )
    other = task(
        2,
        2,
        "run_code",
        state="running",
        ended_at=None,
        started_at=time.time() - 71,
        progress=Progress(label="Fitting the model"),
    )
    turns = [
        turn(
            1, "run the tests", state="running", calls=[Call(tool="run_tests", arguments={"path": "tests"})]
        ),
        turn(2, "run all cells", state="running", origin="text", latency_s=None),
        turn(3, "and then show me the", state="understanding", partial=True, route=None, latency_s=None),
    ]
    return [state(turns=turns, tasks=[run, other], speech=Speech(state="transcribing"))]


def approving(count: int = 1) -> list[ToSurface]:
    """One or two cards wait."""
    turns = [turn(1, "install polars", state="running", calls=[Call(tool="run_shell", arguments={})])]
    tasks = [
        task(
            5 + n,
            1,
            "run_shell uv pip install polars --upgrade",
            state="awaiting_approval",
            started_at=None,
            ended_at=None,
            approval_id=1 + n,
        )
        for n in range(count)
    ]
    approvals = [approval()]
    if count > 1:
        approvals.append(
            approval(
                2,
                6,
                tool="browser_navigate",
                arguments={"url": "https://pola.rs/posts/"},
                target="pola.rs",
                reason="The model wants to open a site that it has not opened before.",
            )
        )
    return [state(turns=turns, tasks=tasks, approvals=approvals)]


def answering() -> list[ToSurface]:
    """A model's answer, a plot and a table."""
    table = (
        '<table border="1" class="dataframe"><thead><tr><th></th><th>city</th><th>price</th><th>sqm</th></tr>'
        "</thead>"
        "<tbody><tr><th>0</th><td>Lyon</td><td>412,000</td><td>84</td></tr>"
        "<tr><th>1</th><td>Porto</td><td>298,500</td><td>71</td></tr>"
        "<tr><th>2</th><td>Ghent</td><td>355,000</td><td>96</td></tr></tbody></table>"
    )
    turns = [
        turn(
            1,
            "plot price by city",
            calls=[Call(tool="plot", arguments={"x": "city", "y": "price", "kind": "bar"})],
        ),
        turn(2, "show me the first rows of df", calls=[Call(tool="show_variable", arguments={"name": "df"})]),
        turn(
            3,
            "why are the Ghent prices so much higher per room",
            route="model",
            answer=(
                "Two things stand out:\n\n"
                "1. **Larger homes.** The median in `df` is 96 m² against 71 m² in Porto.\n"
                "2. Only *11* rows are from Ghent, so one villa moves the mean.\n\n"
                "```python\ndf.groupby('city')['price'].median()\n```\n\n"
                "See the [pandas guide](https://pandas.pydata.org/docs/) for grouped medians. ![x](https://e.org/p.png)"
            ),
        ),
    ]
    tasks = [
        task(
            1,
            1,
            "plot price by city",
            result=Result(
                summary="Bar chart of price by city",
                code="df.plot(x='city', y='price', kind='bar')",
                outputs=[
                    Output(kind="display", data={"image/png": bars_png(), "text/plain": "<Figure 480x200>"})
                ],
            ),
        ),
        task(
            2,
            2,
            "show_variable df",
            result=Result(
                summary="df is a DataFrame with 118 rows and 3 columns",
                outputs=[Output(kind="result", data={"text/html": table, "text/plain": "..."})],
            ),
        ),
    ]
    about = ABOUT.model_copy(update={"model": "gpt-5.2-mini"})
    return [state(about=about, turns=turns, tasks=tasks)]


def troubled() -> list[ToSurface]:
    """Nothing understood, code that raised, a refusal, a notice, speech that is missing."""
    turns = [
        turn(
            1,
            "run sell tree",
            route="none",
            state="nothing",
            closest=["run cell three", "run the tests", "run all cells"],
        ),
        turn(
            2,
            "run the shell command make clean",
            state="failed",
            problem=Problem(
                kind="Refused",
                message="Running shell commands is switched off.",
                hint="Set ALLOW_CLI_EXECUTION=true in .env, then say it again.",
            ),
        ),
        turn(
            3,
            "describe the sales",
            state="failed",
            calls=[Call(tool="describe_data", arguments={"frame": "sales"})],
        ),
    ]
    traceback = (
        "\x1b[31m---------------------------------------------------------------------------\x1b[39m\n"
        "\x1b[31mKeyError\x1b[39m                                  Traceback (most recent call last)\n"
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[7]\x1b[39m\x1b[32m, line 1\x1b[39m\n"
        "\x1b[32m----> \x1b[39m\x1b[32m1\x1b[39m sales[\x1b[33m'totl'\x1b[39m].describe()\n"
        "\x1b[31mKeyError\x1b[39m: 'totl'"
    )
    tasks = [
        task(
            1,
            3,
            "describe_data sales",
            state="failed",
            problem=Problem(
                kind="KeyError", message="KeyError: 'totl'", hint="The columns are date, region, total."
            ),
            result=Result(outputs=[Output(kind="error", text=traceback)]),
        )
    ]
    speech = Speech(
        state="unavailable",
        message="The speech model is not installed.",
        hint="Run: pip install 'voice-kernel[local]', then restart the kernel.",
    )
    return [
        state(turns=turns, tasks=tasks, speech=speech),
        Notice(
            level="info",
            message="Commands arrive only when a cell ends.",
            hint="ipykernel 7.1 or newer cures it.",
        ),
    ]


def thread(number: int, title: str, **changes: Any) -> Thread:
    """Return a conversation of the notebook."""
    values: dict[str, Any] = {
        "id": f"thread-{number}",
        "title": title,
        "workspace": "/home/ada/analysis/prices.ipynb",
        "created_at": time.time() - number * 90_000 - 4_000,
        "updated_at": time.time() - number * 90_000,
        "turns": 3 + number * 4,
    }
    return Thread(**{**values, **changes})


THREADS = [
    thread(0, "load the prices and look at them"),
    thread(1, "Cart totals: why two tests fail"),
    thread(2, "download the rates for the last ten years and put them beside the prices by city and month"),
    thread(3, "Fit the model", turns=1),
]


def kept(**changes: Any) -> Keeping:
    """Return a session that is kept, in its first conversation."""
    return Keeping(**{"state": "kept", "thread": THREADS[0], **changes})


LOGS = "/home/ada/.local/share/jupyter/voice_kernel/logs/2026-11-22/"


def busy() -> list[ToSurface]:
    """Tasks of every state: two run, some wait in two queues, others ended; two of an earlier kernel."""
    now = time.time()
    waiting: dict[str, Any] = {"state": "queued", "started_at": None, "ended_at": None}
    tasks = [
        task(
            1,
            1,
            "run_tests tests/integration",
            area="tests",
            state="interrupted",
            earlier=True,
            tail=PYTEST_TAIL,
            log_path=f"{LOGS}0001-run_tests.log",
            output_bytes=4_812,
            problem=Problem(
                kind="Interrupted",
                message="The kernel ended while it ran.",
                hint="Retry runs it again.",
                retryable=True,
            ),
        ),
        task(
            2,
            1,
            "list_files data",
            area="shell",
            earlier=True,
            result=Result(summary="12 files and 3 folders"),
        ),
        failed_tests(3, 2).model_copy(update={"area": "tests"}),
        task(4, 3, "run_cells 3-5", area="notebook", result=Result(summary="Ran 3 cells")),
        task(
            5,
            3,
            "run_shell sleep 600",
            area="shell",
            state="cancelled",
            problem=Problem(kind="Cancelled", message="Cancelled."),
        ),
        running_shell(6, 4).model_copy(update={"area": "shell"}),
        task(
            7,
            4,
            "run_tests tests/unit",
            area="tests",
            arguments={"path": "tests/unit", "keyword": None, "failed_only": False},
            state="running",
            started_at=now - 72,
            ended_at=None,
            deadline_at=now + 900,
            tail=PYTEST_TAIL,
            output_bytes=612,
            log_path=f"{LOGS}0007-run_tests.log",
            progress=Progress(fraction=0.46, done=22, total=48, unit="tests", label="1 failed"),
        ),
        task(
            8,
            5,
            "run_shell python train.py --epochs 40 --rate 0.01",
            area="shell",
            arguments={"command": "python train.py --epochs 40 --rate 0.01", "timeout": 3600},
            queue_position=1,
            **waiting,
        ),
        task(9, 5, "run_shell python report.py", area="shell", queue_position=2, **waiting),
        task(10, 5, "run_shell make docs", area="shell", queue_position=3, **waiting),
        task(
            11,
            6,
            "run_shell uv pip install polars --upgrade",
            area="shell",
            approval_id=1,
            **{**waiting, "state": "awaiting_approval"},
        ),
    ]
    turns = [
        turn(1, "run the integration tests"),
        turn(2, "run the tests"),
        turn(3, "run cells three to five"),
        turn(4, "sync the widgets and run the unit tests", state="running"),
        turn(5, "train, report, and make the docs", state="running"),
        turn(6, "upgrade polars", state="running"),
    ]
    return [state(turns=turns, tasks=tasks, keeping=kept())]


def crowd(count: int = 200) -> list[ToSurface]:
    """Many tasks started at once: two run, the others wait."""
    now = time.time()
    tasks = [
        task(
            number,
            number,
            f"run_shell python simulate.py --seed {number}",
            area="shell",
            state="running" if number <= 2 else "queued",
            started_at=now - 3 if number <= 2 else None,
            ended_at=None,
            queue_position=None if number <= 2 else number - 2,
        )
        for number in range(1, count + 1)
    ]
    turns = [turn(number, f"simulate with seed {number}", state="running") for number in range(1, count + 1)]
    return [state(turns=turns, tasks=tasks, keeping=kept())]


def unkept() -> list[ToSurface]:
    """Nothing is being written any more."""
    keeping = kept(
        state="memory",
        message="The disk is full, so nothing has been kept since 14:02.",
        hint="Free some space: what is still in memory is then written.",
    )
    return [state(**{**working()[0].model_dump(exclude={"type", "keeping"}), "keeping": keeping})]


def past(number: int, past_task: Task, utterance: str, **changes: Any) -> PastTask:
    """Return a task of the history."""
    return PastTask(
        **{
            "id": number,
            "task": past_task,
            "utterance": utterance,
            "session_id": "session-0",
            "thread_id": "thread-1",
            "thread_title": THREADS[1].title,
            **changes,
        }
    )


def history(count: int = 120) -> list[PastTask]:
    """Return a history over some days, newest first."""
    kinds = [
        (
            "run_tests tests/unit",
            "tests",
            "run the unit tests",
            "failed",
            Result(summary="2 failed, 45 passed"),
        ),
        ("run_shell git pull", "shell", "pull the changes", "succeeded", Result(summary="Exit 0 in 812 ms")),
        ("run_cells all", "notebook", "run all cells", "succeeded", Result(summary="Ran 14 cells")),
        ("run_shell python train.py", "shell", "train the model", "interrupted", None),
        (
            "plot price by city",
            "data",
            "plot price by city as bars",
            "succeeded",
            Result(summary="Bar chart"),
        ),
        ("run_shell sleep 900", "shell", "wait", "cancelled", None),
    ]
    found = []
    for index in range(count):
        title, area, said, how, result = kinds[index % len(kinds)]
        at = time.time() - 600 - index * 5_000
        problem = (
            Problem(kind="Interrupted", message="The kernel ended while it ran.", hint="Retry runs it again.")
            if how == "interrupted"
            else None
        )
        command = title.partition(" ")[2]
        found.append(
            past(
                1_000 - index,
                task(
                    400 - index,
                    100 + index,
                    title,
                    area=area,
                    arguments={"command": command, "timeout": None} if area == "shell" else {"path": command},
                    state=how,
                    earlier=True,
                    created_at=at,
                    started_at=at,
                    ended_at=at + 4.2 + index,
                    result=result,
                    problem=problem,
                    log_path=f"{LOGS}{400 - index:04d}.log" if area in ("shell", "tests") else "",
                ),
                said,
                **({"thread_id": "thread-0", "thread_title": THREADS[0].title} if index < 4 else {}),
            )
        )
    return found


def stored(lines: int = 3_400_000) -> str:
    """Return a JavaScript kernel that answers from a store: conversations, a history, and logs of `lines`."""
    data = {
        "threads": [each.model_dump(mode="json") for each in THREADS],
        "tasks": [each.model_dump(mode="json") for each in history()],
        "lines": lines,
    }
    script = Path(__file__).with_name("panel_store.js").read_text(encoding="utf-8")
    return f"(() => {{ window.kept = {json.dumps(data)}; return ({script}); }})()"


SCENES = {
    "first_run": first_run,
    "working": working,
    "testing": testing,
    "approving": approving,
    "two_approvals": lambda: approving(2),
    "answering": answering,
    "troubled": troubled,
    "busy": busy,
    "unkept": unkept,
}
