"""Recordings: every common way of storing sound is read alike, and damage is said, not guessed around."""

from __future__ import annotations

import io
import itertools
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.errors import AudioError
from voice_kernel.speech.clip import KEPT_S, AudioClip
from voice_kernel.speech.resampling import PcmStream, resample

CLIPS = Path(__file__).parents[2] / "data" / "speech"


def tone(rate_hz: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate_hz * seconds)) / rate_hz)


def riff(
    body: bytes, *, kind: int, channels: int, rate_hz: int, bits: int, extensible: bool = False
) -> bytes:
    block = channels * bits // 8
    header = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * block, block, bits)
    if extensible:
        header = struct.pack("<H", 0xFFFE) + header[2:]
        header += (
            struct.pack("<HHIH", 22, bits, 0, kind)
            + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
        )
    chunks = b"fmt " + struct.pack("<I", len(header)) + header
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\x00"  # an odd chunk, padded, as real files have them
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def stored(sound: np.ndarray, bits: int, *, floating: bool = False) -> bytes:
    if floating:
        return sound.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (np.round(sound * 127) + 128).astype("u1").tobytes()
    whole = np.round(sound * (2 ** (bits - 1) - 1)).astype("<i4")
    return whole.view("u1").reshape(-1, 4)[:, : bits // 8].tobytes()


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize(
    ("bits", "floating", "tolerance"),
    [
        (8, False, 0.02),
        (16, False, 2e-3),
        (24, False, 2e-3),
        (32, False, 2e-3),
        (32, True, 2e-3),
        (64, True, 2e-3),
    ],
)
def test_every_width_and_rate_gives_the_same_sound(
    bits: int, floating: bool, tolerance: float, rate_hz: int, extensible: bool
) -> None:
    left = tone(rate_hz)
    stereo = np.stack([left, 0.5 * left], axis=1).reshape(-1)
    data = riff(
        stored(stereo, bits, floating=floating),
        kind=3 if floating else 1,
        channels=2,
        rate_hz=rate_hz,
        bits=bits,
        extensible=extensible,
    )
    clip = AudioClip.from_bytes(data)
    expected = 0.75 * tone(16000)
    assert clip.samples.dtype == np.float32
    assert len(clip.samples) == len(expected)
    middle = slice(800, -800)  # the filter rings where the tone is switched on and off
    assert np.abs(clip.samples[middle] - expected[middle]).max() < tolerance


def test_a_file_of_the_standard_library_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(stored(tone(16000), 16))
    clip = AudioClip.read(path)
    assert clip.duration_s == 0.5
    assert clip.rate_hz == 16000
    assert len(clip.pcm) == 16000


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-32767, 32767), min_size=1, max_size=400))
def test_pcm_survives_the_way_through_a_clip(values: list[int]) -> None:
    pcm = np.array(values, "<i2").tobytes()
    back = np.frombuffer(AudioClip.from_pcm(pcm, rate_hz=16000).pcm, "<i2").astype(int)
    assert np.abs(back - np.array(values)).max() <= 1


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 37171, 192000]),
    st.lists(st.integers(0, 5000), min_size=1, max_size=12),
)
def test_how_a_stream_is_cut_does_not_change_the_sound(rate_hz: int, cuts: list[int]) -> None:
    sound = np.random.default_rng(1).normal(0, 4000, 3000).astype("<i2")
    pcm = sound.tobytes()
    stream = PcmStream(rate_hz)
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    pieces = [stream.push(pcm[a:b]) for a, b in itertools.pairwise(edges)]
    pieces.append(stream.flush())
    whole = resample(sound.astype(np.float32) / np.float32(32768), rate_hz)
    assert len(whole) == -(-3000 * 16000 // rate_hz)
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000, 96000])
def test_what_16_khz_cannot_hold_is_filtered_out_not_folded_back(rate_hz: int) -> None:
    above = resample(tone(rate_hz, hertz=9000).astype(np.float32), rate_hz)
    assert np.sqrt((above[800:-800] ** 2).mean()) < 1e-3  # -51 dB


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"RIFF", "is not a recording"),
        (b"RIFF\x00\x00\x00\x00WAVE", "cut short"),
        (riff(b"", kind=1, channels=1, rate_hz=16000, bits=16), "no sound"),
        (riff(b"\x00" * 32, kind=1, channels=1, rate_hz=16000, bits=16)[:-10], "breaks off"),
        (riff(b"\x00" * 31, kind=1, channels=1, rate_hz=16000, bits=16), "middle of a sample"),
        (riff(b"\x00" * 32, kind=1, channels=0, rate_hz=16000, bits=16), "not supported"),
        (riff(b"\x00" * 32, kind=2, channels=1, rate_hz=16000, bits=4), "not supported"),
        (riff(b"\x00" * 32, kind=1, channels=1, rate_hz=1, bits=16), "sampling rate"),
        (b"hello, this is no sound at all, only words", "not a recording"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "no sound track|not a recording"),
        (b"OggS" + b"\x01" * 200, "not a recording"),
    ],
)
def test_what_is_no_whole_recording_is_refused_with_a_hint(data: bytes, says: str) -> None:
    with pytest.raises(AudioError, match=says) as caught:
        AudioClip.from_bytes(data)
    assert caught.value.hint


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_wav_is_read_or_refused_but_never_crashes(data: st.DataObject) -> None:
    good = bytearray(riff(stored(tone(8000, 0.05), 16), kind=1, channels=1, rate_hz=8000, bits=16))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, 63))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    try:
        clip = AudioClip.from_bytes(b"RIFF" + bytes(good[4:cut]))
    except AudioError:
        return
    assert np.isfinite(clip.samples).all()
    assert np.abs(clip.samples).max(initial=0) <= 1


def test_a_recording_piped_by_a_recorder_has_no_length_and_is_read_to_its_end() -> None:
    data = riff(stored(tone(16000), 16), kind=1, channels=1, rate_hz=16000, bits=16)
    at = data.index(b"data") + 4
    assert AudioClip.from_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]).duration_s == 0.5


def test_float_samples_that_are_no_numbers_become_silence() -> None:
    sound = np.array([0.0, np.nan, np.inf, -np.inf, 2.0], "<f4").tobytes()
    samples = AudioClip.from_bytes(riff(sound, kind=3, channels=1, rate_hz=16000, bits=32)).samples
    assert samples.tolist() == [0.0, 0.0, 1.0, -1.0, 1.0]


def test_a_very_long_recording_is_cut_a_little_past_the_longest_utterance() -> None:
    pcm = bytes(2 * 8000 * 400)
    assert AudioClip.from_pcm(pcm, rate_hz=8000).duration_s == KEPT_S


@pytest.mark.parametrize("pcm", [b"", b"\x00"])
def test_pcm_that_is_empty_or_holds_half_a_sample_is_refused(pcm: bytes) -> None:
    with pytest.raises(AudioError):
        AudioClip.from_pcm(pcm, rate_hz=16000)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="No such file") as caught:
        AudioClip.read(tmp_path / "nothing.wav")
    assert "path" in caught.value.hint


@pytest.mark.parametrize(
    ("container", "codec"), [("flac", "flac"), ("mp3", "mp3"), ("webm", "libopus"), ("ogg", "libopus")]
)
def test_other_containers_are_read_through_pyav(container: str, codec: str) -> None:
    av = pytest.importorskip("av")
    buffer = io.BytesIO()
    sound = np.round(tone(48000, 1.0) * 32767).astype("<i2")
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.rate = 48000
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=48000, frame_size=stream.frame_size
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    clip = AudioClip.from_bytes(buffer.getvalue(), name=f"tone.{container}")
    assert clip.duration_s == pytest.approx(1.0, abs=0.1)
    assert 0.3 < np.sqrt((clip.samples[4000:12000] ** 2).mean()) < 0.4  # a sine of 0.5 has 0.354
