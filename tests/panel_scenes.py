"""States of the panel worth looking at, as the real wire messages that lead to them."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from typing import Any

from voice_kernel.messages import (
    About,
    Approval,
    Call,
    Notice,
    Output,
    Problem,
    Progress,
    Result,
    Speech,
    State,
    Task,
    TaskOutput,
    TestCase,
    TestReport,
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


SCENES = {
    "first_run": first_run,
    "working": working,
    "testing": testing,
    "approving": approving,
    "two_approvals": lambda: approving(2),
    "answering": answering,
    "troubled": troubled,
}
