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
    shared = "('share_with_model', 'succeeded', 'text')"
    listed = "('list_variables', 'succeeded', 'model')"
    assert told == f"model | You have one variable, answer. | [{shared}, {listed}]\n"
    assert len(server.asked) == 2
    told = kernel_with_model.execute("print(turn.turn.model, turn.turn.usage.requests)").text
    assert told == f"scripted at {server.url.split('/')[2]} 2\n"
    assert "answer = 42" not in str(server.asked)  # no values, unless they are asked for


def test_code_the_model_wants_to_run_is_refused_where_nobody_can_be_asked(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "touched = True"}), "I was not allowed to.")
    kernel_with_model.execute(
        "turn = get_ipython().run_line_magic('voice', 'please tidy up after yourself somehow')",
        allow_stdin=False,
    ).expect_ok()
    told = kernel_with_model.execute("print('touched' in globals(), turn.tasks[-1].problem.kind)").text
    assert told == "False NobodyToAsk\n"


def test_what_is_sent_is_shown_once_before_it_is_sent(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says("Hello.", "Hello again.")
    kernel_with_model.execute("secret = 'swordfish'").expect_ok()
    kernel_with_model.execute("first = %voice so what do you make of all this").expect_ok()
    kernel_with_model.execute("second = %voice so what do you make of all that").expect_ok()
    told = kernel_with_model.execute(
        "print([t.tool for t in first.tasks], [t.tool for t in second.tasks]); print(first.results[0].text)"
    ).text
    assert told.startswith("['share_with_model'] []\n")
    assert "so what do you make of all this" in told
    assert '"name": "secret"' in told
    assert "swordfish" not in told + str(server.asked)


def test_the_model_can_be_asked_what_the_grammar_understands(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says("None yet.", "Still none.")
    kernel_with_model.execute("turn = %voice ask the model to list variables in df.A").expect_ok()
    assert kernel_with_model.execute("print(turn.route, turn.turn.answer)").text == "model None yet.\n"
    assert "list variables in df.A" in str(server.asked[0])
    kernel_with_model.execute(f"turn = %voice --model {server.url}#other list variables").expect_ok()
    assert kernel_with_model.execute("print(turn.turn.model)").text.startswith("other at 127.0.0.1")
    assert server.asked[1]["model"] == "other"


def test_a_model_can_be_chosen_and_a_server_that_is_away_never_means_the_cloud(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says("I am the other one.")
    kernel_with_model.execute(f"%voice --model {server.url}#other").expect_ok()
    kernel_with_model.execute("turn = %voice so who are you now").expect_ok()
    assert kernel_with_model.execute("print(turn.turn.model)").text.startswith("other at")
    failed = kernel_with_model.execute("%voice --model http://127.0.0.1:9/v1#x so who are you now")
    assert "The model server at 127.0.0.1:9 cannot be reached." in str(failed.reply)
    keyless = kernel_with_model.execute("%voice --model openai/gpt-5 so who are you now")
    assert "There is no key for OpenAI." in str(keyless.reply)


def test_without_a_model_asking_for_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    kernel = RealKernel(tmp_path)
    try:
        kernel.execute("%load_ext voice_kernel").expect_ok()
        failed = kernel.execute("%voice ask the model what this is")
        assert "No model is configured." in str(failed.reply)
        assert "use the model" in str(failed.reply)
        loaded = kernel.execute("import sys; print('agents' in sys.modules, 'openai' in sys.modules)").text
        assert loaded == "False False\n"
    finally:
        kernel.stop()


def test_what_happened_and_what_it_took_is_told_on_request(
    kernel_with_model: RealKernel, server: OpenAIServer
) -> None:
    server.says(Call("list_variables", {}), "None.")
    kernel_with_model.execute("%voice so what do you make of all this").expect_ok()
    kernel_with_model.execute("usage = %voice how many tokens did the model use").expect_ok()
    told = kernel_with_model.execute("print(usage.results[0].summary)").text
    assert told == "This conversation has taken 2 requests, 20 tokens in, 10 out.\n"
    kernel_with_model.execute("when = %voice show the timeline").expect_ok()
    told = kernel_with_model.execute("print(when.results[0].text)").text
    assert "request 1 to scripted" in told
    assert "list_variables (succeeded)" in told
