"""The widget class: its traits, its lazily read bundle, and what is left where there are no widgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel.errors import VoiceKernelError
from voice_kernel.ui import widget as widget_module
from voice_kernel.ui.widget import PanelWidget


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "panel.js").write_text("export default {}", encoding="utf-8")
    (tmp_path / "panel.css").write_text(".vk-root {}", encoding="utf-8")
    monkeypatch.setattr(widget_module, "STATIC", tmp_path)
    return tmp_path


def test_a_widget_carries_the_bundle_and_says_what_it_shows(bundle: Path) -> None:
    card = PanelWidget(view="card", turn_id=3)
    sent = card.get_state()
    assert sent["_esm"] == "export default {}"
    assert sent["_css"] == ".vk-root {}"
    assert (sent["view"], sent["turn_id"], sent["surface_kind"]) == ("card", 3, "card")
    assert PanelWidget().surface_kind == "widget"


def test_a_missing_bundle_names_the_command_that_builds_it(bundle: Path) -> None:
    (bundle / "panel.js").unlink()
    with pytest.raises(VoiceKernelError, match="make setup"):
        PanelWidget()


def test_without_widgets_there_are_words(bundle: Path) -> None:
    made = PanelWidget()._repr_mimebundle_()
    assert made is not None
    data, _ = made
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "run this cell again" in data["text/plain"]
    assert "run this cell again" in data["text/html"]
