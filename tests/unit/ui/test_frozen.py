"""What stays of a turn when it has ended: readable, complete enough, and harmless."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import Any

import pytest

from voice_kernel.messages import Output, Problem, Result, Task, TestCase, TestReport, Turn
from voice_kernel.ui.frozen import MAX_IMAGE_CHARS, MAX_TEXT_CHARS, frozen_html, frozen_text
from voice_kernel.ui.markup import sanitize

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def a_turn(**changes: Any) -> Turn:
    values: dict[str, Any] = {
        "id": 1,
        "state": "succeeded",
        "origin": "magic",
        "text": "run the tests",
        "route": "intents",
        "created_at": 100.0,
    }
    return Turn(**{**values, **changes})


def a_task(**changes: Any) -> Task:
    values: dict[str, Any] = {
        "id": 3,
        "turn_id": 1,
        "tool": "run_tests",
        "title": "run_tests tests/unit",
        "state": "succeeded",
        "created_at": 100.0,
        "started_at": 100.0,
        "ended_at": 104.2,
    }
    return Task(**{**values, **changes})


class Tags(HTMLParser):
    """Checks that tags are balanced and notes every tag and attribute."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_the_problem_says_is_not_said_twice() -> None:
    said = "1 failed: test_a"
    task = a_task(
        state="failed", problem=Problem(kind="TestsFailed", message=said), result=Result(summary=said)
    )
    turn = a_turn(state="failed", problem=task.problem)
    assert frozen_text(turn, [task]).count(said) == 1
    assert Tags(frozen_html(turn, [task])).text.count(said) == 1


def test_what_was_asked_for_besides_the_tests_stands_below_them() -> None:
    report = TestReport(passed=1, failed=0, errors=0, skipped=0, duration_s=1.0, cases=[])
    task = a_task(result=Result(summary="1 passed", text="The slowest tests:\n 1.0 s  test_a", tests=report))
    assert "The slowest tests:" in Tags(frozen_html(a_turn(), [task])).text
    assert "The slowest tests:" in frozen_text(a_turn(), [task])


def test_the_transcript_the_route_and_the_outcome_are_shown() -> None:
    page = Tags(frozen_html(a_turn(latency_s=0.18), [a_task(result=Result(summary="14 passed"))]))
    assert page.open == []
    for words in (
        "“run the tests”",
        "grammar",
        "180 ms",
        "done",
        "3",
        "run_tests tests/unit",
        "4.2 s",
        "14 passed",
    ):
        assert words in page.text


@pytest.mark.parametrize("where", ["text", "answer", "title", "tail", "summary", "code", "message", "stream"])
def test_text_from_outside_stays_text(where: str) -> None:
    result = Result(
        summary=HOSTILE if where == "summary" else "",
        code=HOSTILE if where == "code" else "",
        outputs=[Output(kind="stream", text=HOSTILE)] if where == "stream" else [],
    )
    task = a_task(
        title=HOSTILE if where == "title" else "t",
        tail=HOSTILE if where == "tail" else "",
        result=result,
        problem=Problem(kind="X", message=HOSTILE, hint=HOSTILE) if where == "message" else None,
    )
    turn = a_turn(text=HOSTILE if where == "text" else "t", answer=HOSTILE if where == "answer" else "")
    page = Tags(frozen_html(turn, [task]))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "alert(1)" in page.text


def test_html_output_keeps_its_table_and_loses_all_that_acts() -> None:
    source = (
        "<style>td{color:red}</style><table onclick='x()'><tr><td colspan='2' style='a'>42</td></tr></table>"
        f"{HOSTILE}<a href='javascript:x()'>link</a><iframe src='http://x'>y</iframe>"
    )
    output = Output(kind="result", data={"text/html": source, "text/plain": "42"})
    page = Tags(frozen_html(a_turn(), [a_task(result=Result(outputs=[output]))]))
    assert {"table", "tr", "td"} <= set(page.tags)
    assert not {"script", "img", "iframe", "a"} & set(page.tags)
    assert ("colspan", "2") in page.attributes
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "href"]
    assert "42" in page.text
    assert "color:red" not in page.text


@pytest.mark.parametrize(
    "source",
    [
        "<div><p>open",
        "</table></div>text",
        "<scr<script>ipt>alert(1)</script>",
        "<svg><script>alert(1)</script><p>x</p></svg>after",
        "<td colspan='99999999999999'>x</td>",
        "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->x",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_broken_or_sly_html_comes_out_balanced_and_inert(source: str) -> None:
    page = Tags(sanitize(source))
    assert page.open == []
    assert not {"script", "img", "svg", "style"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name not in ("style", "colspan", "rowspan")]


def test_a_figure_is_part_of_the_page() -> None:
    output = Output(kind="display", data={"image/png": PNG + "\n", "text/plain": "<Figure size 640x480>"})
    page = Tags(frozen_html(a_turn(), [a_task(result=Result(outputs=[output]))]))
    assert ("src", f"data:image/png;base64,{PNG}") in page.attributes
    assert ("alt", "<Figure size 640x480>") in page.attributes


def test_an_image_that_is_no_base64_cannot_break_out_of_its_attribute() -> None:
    output = Output(kind="display", data={"image/png": '"><script>alert(1)</script>', "text/plain": "fig"})
    page = Tags(frozen_html(a_turn(), [a_task(result=Result(outputs=[output]))]))
    assert not {"img", "script"} & set(page.tags)


def test_an_svg_is_shown_as_an_image_where_scripts_do_not_run() -> None:
    output = Output(kind="display", data={"image/svg+xml": "<svg><script>alert(1)</script></svg>"})
    page = Tags(frozen_html(a_turn(), [a_task(result=Result(outputs=[output]))]))
    assert "img" in page.tags
    assert "svg" not in page.tags


def test_failed_tests_show_their_place_message_and_report() -> None:
    report = TestReport(
        passed=1,
        failed=1,
        duration_s=1.5,
        cases=[
            TestCase(
                id="tests/test_cart.py::TestCart::test_total",
                outcome="failed",
                file="tests/test_cart.py",
                line=12,
                message="assert 3 == 4",
                detail="\x1b[31mE   assert 3 == 4\x1b[0m",
            ),
            TestCase(id="tests/test_cart.py::test_empty", outcome="passed", duration_s=0.01),
        ],
    )
    task = a_task(state="failed", result=Result(summary="1 failed, 1 passed", tests=report, exit_code=1))
    page = Tags(frozen_html(a_turn(state="failed"), [task]))
    for words in (
        "TestCart::test_total",
        "tests/test_cart.py:12",
        "assert 3 == 4",
        "test_empty",
        "exit code 1",
    ):
        assert words in page.text
    assert "\x1b" not in page.text
    text = frozen_text(a_turn(state="failed"), [task])
    assert "✗ tests/test_cart.py::TestCart::test_total (tests/test_cart.py:12): assert 3 == 4" in text


def test_colours_of_a_terminal_become_styles() -> None:
    tail = (
        "\x1b[1;32mok\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x1b[2K\x1b[38;5;208mhot\x1b[m\n10%\r 99%\n"
    )
    source = frozen_html(a_turn(), [a_task(tail=tail)])
    page = Tags(source)
    assert "font-weight:bold" in source
    assert "ok link" in page.text
    assert "\x1b" not in source
    assert "10%" not in page.text
    assert frozen_text(a_turn(), [a_task(tail=tail)]).endswith("99%")


def test_a_long_output_is_folded_and_says_where_its_log_is() -> None:
    tail = "".join(f"line {number}\n" for number in range(100))
    task = a_task(tail=tail, output_bytes=2_500_000, log_path="/logs/3.log", log_cut_bytes=1_200)
    page = Tags(frozen_html(a_turn(), [task]))
    assert "details" in page.tags
    for words in ("Output, 100 lines", "2 MB of output", "/logs/3.log", "1 kB past the log's limit"):
        assert words in page.text


def test_problems_and_near_phrases_say_what_to_do_next() -> None:
    turn = a_turn(
        state="nothing",
        route="none",
        text="fry the tests",
        closest=["run the tests"],
        problem=Problem(kind="IntentError", message="I did not understand that.", hint="Say help."),
    )
    page = Tags(frozen_html(turn, []))
    for words in ("not understood", "I did not understand that.", "Say help.", "“run the tests”"):
        assert words in page.text
        assert words.strip("“”") in frozen_text(turn, [])


def test_a_huge_turn_stays_small_and_balanced() -> None:
    image = base64.b64encode(bytes(600_000)).decode()
    outputs = [Output(kind="stream", text=f"{number} " + "x\n" * 200_000) for number in range(40)]
    outputs += [Output(kind="display", data={"image/png": image, "text/plain": "fig"}) for _ in range(4)]
    outputs += [Output(kind="result", data={"text/html": "<b>x</b>" * 300_000, "text/plain": "x"})]
    cases = [TestCase(id=f"t.py::test_{n}", outcome="failed", detail="d" * 4_000) for n in range(400)]
    task = a_task(
        result=Result(text="y" * 50_000, outputs=outputs, tests=TestReport(failed=400, cases=cases))
    )
    source = frozen_html(a_turn(answer="z" * 200_000, text="w" * 10_000), [task] * 3)
    assert len(source) < MAX_TEXT_CHARS * 1.2 + MAX_IMAGE_CHARS
    assert Tags(source).open == []
    assert "more was shown" in source
    assert len(frozen_text(a_turn(), [task] * 3)) < MAX_TEXT_CHARS + 10


def test_a_table_of_tasks_is_shown_in_a_cell_too_since_no_code_has_shown_it_there() -> None:
    table = Output(kind="display", data={"text/html": "<table><tr><td><p>make</p></td></tr></table>"})
    task = a_task(origin="magic", tool="show_history", area="tasks", result=Result(outputs=[table]), tail="")
    assert '<p style="margin:0;text-align:left">make</p>' in frozen_html(a_turn(), [task])
    assert "make" not in frozen_html(a_turn(), [task.model_copy(update={"area": "data"})])


def test_nothing_is_loaded_from_elsewhere() -> None:
    output = Output(kind="result", data={"text/html": "<img src='https://example.org/pixel.png'><b>hi</b>"})
    source = frozen_html(
        a_turn(answer="![x](https://example.org/y.png)"), [a_task(result=Result(outputs=[output]))]
    )
    assert not [value for name, value in Tags(source).attributes if name in ("src", "href", "srcset")]
