"""Recordings that are kept: only for their owner, and never without end."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from voice_kernel.errors import AudioError
from voice_kernel.speech.keeping import AudioFolder


def test_a_recording_is_a_wav_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = AudioFolder(tmp_path / "kept").keep(b"\x01\x00" * 800, 3, rate_hz=8000)
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 1, 800)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_full_folder_is_said_and_given_nothing_more(tmp_path: Path) -> None:
    folder = AudioFolder(tmp_path, max_bytes=1000)
    folder.keep(b"\0\0" * 400, 1)
    with pytest.raises(AudioError, match="full"):
        folder.keep(b"\0\0" * 400, 2)
    assert len(list(tmp_path.glob("*.wav"))) == 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match="could not be kept"):
        AudioFolder(tmp_path / "file" / "kept").keep(b"\0\0", 1)
