"""The magic's line: options first, then the words as they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from voice_kernel import magic
from voice_kernel.magic import Request, UsageError, parse_line


def test_words_stay_as_they_are() -> None:
    assert parse_line("  run the tests -x  ") == Request(text="run the tests -x")


def test_options_come_before_the_words() -> None:
    assert parse_line("-b git diff --stat") == Request(text="git diff --stat", background=True)
    assert parse_line("--background help") == Request(text="help", background=True)


def test_audio_takes_a_file_with_spaces_in_quotes() -> None:
    assert parse_line("--audio 'my clip.wav'") == Request(audio="my clip.wav")


def test_two_dashes_end_the_options() -> None:
    assert parse_line("-- -b is not an option here") == Request(text="-b is not an option here")


@pytest.mark.parametrize("line", ["--audio", "--audio a.wav b.wav", "--audio 'open", "--nonsense help"])
def test_what_does_not_fit_says_how_it_is_used(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert "%voice?" in "".join(caught.value._render_traceback_())


def test_braces_and_dollars_in_the_words_are_never_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    heard: list[str] = []
    monkeypatch.setattr(magic, "_run", lambda app, request, cell: heard.append(request.text))
    monkeypatch.setattr("voice_kernel.app.app_of", lambda shell: None)
    shell = InteractiveShell(user_ns={"ran": [], "name": "value"})
    magic.register(shell)
    shell.run_cell("%voice echo $name {ran.append(1)} ${name}", silent=True)
    shell.run_cell("%%voice echo $name {ran.append(1)}\nmore {ran.append(1)}", silent=True)
    assert heard == ["echo $name {ran.append(1)} ${name}", "echo $name {ran.append(1)}"]
    assert shell.user_ns["ran"] == []


@given(st.text())
def test_any_line_is_taken_apart_or_refused(line: str) -> None:
    try:
        request = parse_line(line)
    except UsageError:
        assert line.strip().startswith("-")
    else:
        assert isinstance(request, Request)
