"""Speech engines that are servers, in a real kernel: wired, asked, and stood in for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import Call, OpenAIServer, Reply, serve
from real_kernel import RealKernel

CLIP = Path(__file__).parents[2] / "notebooks" / "tour" / "audio" / "list_variables.wav"
KEY = "sk-test-0123456789abcdef"


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


@pytest.fixture
def kernel(
    server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[RealKernel]:
    server.reset()
    server.key = KEY
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_ENGINE", request.param)
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_URL", server.url)
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_API_KEY", KEY)
    monkeypatch.setenv("VOICE_KERNEL_TRANSCRIPTION_MODEL", "whisper-1")
    monkeypatch.setenv("VOICE_KERNEL_MODEL_SHARE", "always")
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    running = RealKernel(tmp_path)
    running.execute("%load_ext voice_kernel\nanswer = 42").expect_ok()
    yield running
    running.stop()


def heard(kernel: RealKernel) -> str:
    kernel.execute(f"turn = %voice --audio {CLIP}").expect_ok()
    return kernel.execute(
        "print(turn.transcript, '|', turn.route, '|', turn.turn.engine, '|', turn.turn.answer, '|',"
        " [(task.tool, task.origin) for task in turn.tasks])"
    ).text


@pytest.mark.parametrize("kernel", ["realtime"], indirect=True)
def test_a_realtime_model_hears_and_answers_what_the_grammar_does_not(
    kernel: RealKernel, server: OpenAIServer
) -> None:
    server.hears("List variables.", "What on earth have I got here?")
    assert heard(kernel) == "List variables. | intents | realtime |  | [('list_variables', 'script')]\n"
    assert "response.create" not in [event["type"] for event in server.talks[0]]
    server.says(Call("list_variables"), "You have one variable, answer.")
    assert heard(kernel) == (
        "What on earth have I got here? | model | realtime | You have one variable, answer. |"
        " [('list_variables', 'model')]\n"
    )
    [output] = [e["item"] for e in server.talks[0] if e.get("item", {}).get("type") == "function_call_output"]
    assert "answer" in output["output"]
    # Typed words, too, go to the model that hears.
    server.says("Good morning.")
    kernel.execute("typed = %voice good morning to you my friend").expect_ok()
    assert kernel.execute("print(typed.turn.answer)").text == "Good morning.\n"
    assert kernel.execute(f"'{KEY}' in repr(turn)").text == "False"


@pytest.mark.parametrize("kernel", ["openai"], indirect=True)
def test_a_server_hears_and_this_machine_where_it_breaks_off(
    kernel: RealKernel, server: OpenAIServer
) -> None:
    server.hears("List variables.", Reply(text="Restart the kernel.", cut_after=2))
    assert heard(kernel) == "List variables. | intents | openai |  | [('list_variables', 'script')]\n"
    words, route, engine, *_ = heard(kernel).split(" | ")
    assert (words.strip(". ").lower(), route, engine) == ("list variables", "intents", "local")
    assert len(server.recordings) == 2
