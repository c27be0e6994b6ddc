"""Scripts as files: what is written is read back; what people change in them counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.errors import ScriptError
from voice_kernel.messages import Call
from voice_kernel.script import voicefile
from voice_kernel.script.outcome import Counts, TaskOutcome
from voice_kernel.script.step import Step, one_line

STEP = Step(
    text="run the tests in the tests folder",
    calls=(Call(tool="run_tests", arguments={"path": "tests/naïve"}),),
    expected=(
        TaskOutcome(tool="run_tests", state="failed", problem="TestsFailed", tests=Counts(3, 1, 0, 0)),
    ),
)


def kept(step: Step) -> tuple[object, ...]:
    return step.text, step.calls, step.expected


def test_what_is_written_is_read_back() -> None:
    steps = voicefile.parse(voicefile.write([STEP, Step("list variables")], "A day\nof work"))
    assert [kept(step) for step in steps] == [kept(STEP), kept(Step("list variables"))]


@given(st.text(min_size=1), st.text())
def test_any_words_and_any_argument_come_back_on_one_line(text: str, argument: str) -> None:
    step = Step(text, (Call(tool="run_code", arguments={"code": argument}),), ())
    steps = voicefile.parse(voicefile.write([step]))
    if one_line(text):
        assert [kept(one) for one in steps] == [(one_line(text), step.calls, ())]


def test_a_script_is_a_list_of_commands_for_whoever_knows_no_more() -> None:
    written = voicefile.write([STEP])
    lines = [line for line in written.splitlines() if line and not line.startswith("#")]
    assert lines == ["run the tests in the tests folder"]
    assert written.startswith("#!/usr/bin/env -S voice-kernel replay\n")


def test_what_is_left_out_is_a_comment_that_says_why() -> None:
    written = voicefile.write([Step("shell sleep 600", left_out="it was cancelled")])
    assert "# left out, since it was cancelled: shell sleep 600\n" in written
    assert voicefile.parse(written) == []


def test_a_command_that_was_edited_is_understood_anew() -> None:
    edited = voicefile.write([STEP]).replace("\nrun the tests in the tests folder\n", "\nrun all tests\n")
    (step,) = voicefile.parse(edited)
    assert (step.text, step.calls, step.expected, step.note) == ("run all tests", (), None, voicefile.EDITED)


def test_spaces_around_a_command_are_no_edit() -> None:
    spaced = voicefile.write([STEP]).replace("\nrun the tests in", "\n   run  the tests in")
    (step,) = voicefile.parse(spaced)
    assert step.calls == STEP.calls


def test_steps_know_their_line() -> None:
    steps = voicefile.parse("# hello\nhelp\n\nlist variables\n", "a.voice")
    assert [step.where for step in steps] == ["a.voice:2", "a.voice:4"]


def test_rulers_and_other_comments_are_comments() -> None:
    steps = voicefile.parse(
        "#=== part one ===\nhelp\n#= as it should be\n#={not json for us\n#\n".replace("#={", "# {")
    )
    assert [kept(step) for step in steps] == [("help", (), None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("help\n#= {broken", "x:2: this line is damaged."),
        ('help\n#= {"tasks": [{"tool": 3}]}', "x:2: this line is damaged."),
        ('#= {"format": 99}\nhelp', "x:1: this script was written by a later version"),
    ],
)
def test_a_damaged_line_is_named_and_not_passed_over(text: str, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        voicefile.parse(text, "x")


def test_what_a_later_version_adds_is_passed_over() -> None:
    (step,) = voicefile.parse(
        'help\n#= {"calls": [], "mood": "good", "tasks": [{"tool": "help", "state": "succeeded", "x": 1}]}'
    )
    assert step.expected == (TaskOutcome(tool="help", state="succeeded"),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "holds no command"),
        (b"# only\n#= {}\n", "holds no command"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b"x" * (voicefile.MAX_SCRIPT_BYTES + 1), "too long"),
    ],
)
def test_a_file_that_is_no_script_says_so(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "x.voice"
    path.write_bytes(data)
    with pytest.raises(ScriptError, match=told):
        voicefile.read(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="No such file"):
        voicefile.read(tmp_path / "none.voice")


def test_a_byte_order_mark_and_windows_line_ends_are_no_words(tmp_path: Path) -> None:
    path = tmp_path / "x.voice"
    path.write_bytes("﻿help\r\nlist variables\r\n".encode())
    assert [step.text for step in voicefile.read(path)] == ["help", "list variables"]
