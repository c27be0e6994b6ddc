"""With a model configured, `%voice` in a real kernel asks it what the grammar does not understand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import Call, OpenAIServer, serve
from real_kernel import RealKernel


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


@pytest.fixture
def kernel_with_model(
    server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RealKernel]:
    server.reset()
    monkeypatch.setenv("VOICE_KERNEL_BASE_URL", server.url)
    monkeypatch.setenv("MODEL", "scripted")
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    kernel = RealKernel(tmp_path)
    kernel.execute("%load_ext voice_kernel").expect_ok()
    yield kernel
    kernel.stop()


def test_what_the_grammar_understands_never_reaches_the_model(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    kernel_with_model.execute("turn = %voice list variables").expect_ok()
    assert kernel_with_model.execute("print(turn.route)").text == "intents\n"
    assert server.asked == []


def test_the_rest_goes_to_the_model_and_its_tools_are_the_toolbox(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says(Call("list_variables", {}), "You have one variable, answer.")
    kernel_with_model.execute("answer = 42").expect_ok()
    kernel_with_model.execute("turn = %voice what have I got so far, in one sentence").expect_ok()
    told = kernel_with_model.execute(
        "print(turn.route, '|', turn.turn.answer, '|', [(t.tool, t.state, t.origin) for t in turn.tasks])"
    ).text
    assert told == "model | You have one variable, answer. | [('list_variables', 'succeeded', 'model')]\n"
    assert len(server.asked) == 2


def test_code_the_model_wants_to_run_is_refused_where_nobody_can_be_asked(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "touched = True"}), "I was not allowed to.")
    kernel_with_model.execute(
        "turn = get_ipython().run_line_magic('voice', 'please tidy up after yourself somehow')",
        allow_stdin=False,
    ).expect_ok()
    told = kernel_with_model.execute("print('touched' in globals(), turn.tasks[0].problem.kind)").text
    assert told == "False NobodyToAsk\n"
