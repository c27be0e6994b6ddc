"""The samples with a model: it is offered their tools, calls one, and is told what came of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import Call, OpenAIServer, serve
from real_kernel import RealKernel

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


def defining_cells(name: str) -> Iterator[str]:
    """Give the cells of a sample that define its tools, and what they work on."""
    for cell in json.loads((SAMPLES / f"{name}.ipynb").read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and any(part in source for part in ("%load_ext", "@tool", "Widget(")):
            yield source


@pytest.mark.parametrize(
    ("name", "said", "call", "told"),
    [
        ("customer_support", "whose trip would that be, roughly", Call("customer_profile"), "gold member"),
        (
            "knowledge_assistant",
            "could my puppy possibly come with us",
            Call("ask_documents", {"question": "dogs"}),
            "Assistance dogs",
        ),
        (
            "facts_and_weather",
            "would I need an umbrella up there in Oslo",
            Call("show_weather", {"city": "Oslo"}),
            "degrees",
        ),
        (
            "marketing_assets",
            "something about bread that rhymes perhaps",
            Call("add_variant", {"product": "bread", "audience": "all", "headline": "Said", "body": "Fed"}),
            "Variant 1: Said.",
        ),
        ("starter", "surprise me with some numbers", Call("roll", {"count": 2}), ": "),
    ],
)
def test_a_model_uses_the_tools_of_a_sample(
    server: OpenAIServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    said: str,
    call: Call,
    told: str,
) -> None:
    server.reset()
    monkeypatch.setenv("VOICE_KERNEL_BASE_URL", server.url)
    monkeypatch.setenv("MODEL", "scripted")
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    kernel = RealKernel(tmp_path)
    try:
        for source in defining_cells(name):
            kernel.execute(source).expect_ok()
        server.says(call, "There you are.")
        kernel.execute(f"from voice_kernel import ask\nturn = await ask({said!r})").expect_ok()
        assert kernel.value("turn.route, turn.tasks[-1].tool, turn.tasks[-1].state") == (
            f"('model', '{call.name}', 'succeeded')"
        )
        results: list[dict[str, Any]] = [
            message for message in server.asked[-1]["messages"] if message["role"] == "tool"
        ]
        assert told in str(results)
    finally:
        kernel.stop()
