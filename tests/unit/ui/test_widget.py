"""The widget class: its traits, its lazily read bundle, and what is left where there are no widgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel.errors import VoiceKernelError
from voice_kernel.messages import ReadPart
from voice_kernel.ui import bundle as bundle_module
from voice_kernel.ui.widget import PanelWidget


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "panel.js").write_text("export default {}", encoding="utf-8")
    (tmp_path / "panel.css").write_text(".vk-root {}", encoding="utf-8")
    monkeypatch.setattr(bundle_module, "STATIC", tmp_path)
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


def test_a_part_is_read_when_it_is_asked_for_and_one_that_is_not_there_is_said(bundle: Path) -> None:
    (bundle / "parts").mkdir()
    (bundle / "parts" / "markup.js").write_text("export default shared => ({})", encoding="utf-8")
    assert bundle_module.part(ReadPart(id=4, name="markup")).source == "export default shared => ({})"
    missing = bundle_module.part(ReadPart(id=5, name="other"))
    assert missing.problem is not None
    assert "make setup" in missing.problem.hint
    with pytest.raises(ValueError, match="pattern"):
        ReadPart(id=6, name="../panel")
