"""`AudioClip`: sound as every recogniser here wants it, mono float32 at 16 kHz.

Reads WAV itself (8 to 64 bit, integer and float, any rate, any number of channels); other containers
go through PyAV where it is installed. It does not know what is said in the sound.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice_kernel.errors import AudioError
from voice_kernel.language import N_, _
from voice_kernel.speech.resampling import Samples, resample
from voice_kernel.speech.transcriber import MAX_UTTERANCE_S, RATE_HZ

KEPT_S = MAX_UTTERANCE_S + 1
"""A longer recording is cut here; the recogniser hears that there was more, and says so."""
MAX_FILE_BYTES = 1 << 30

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_STREAMED = 0x7FFFF000
"""Data sizes from here on (and 0) mean "until the end": what recorders write into a pipe."""
_FORMAT_HINT = N_("Give a WAV, FLAC, Ogg, MP3 or WebM recording.")


@dataclass(frozen=True, slots=True, eq=False)
class AudioClip:
    """A piece of sound."""

    samples: Samples
    """Mono, 16,000 a second, -1 to 1; at most `KEPT_S`."""

    @property
    def rate_hz(self) -> int:
        """Samples a second, of every clip."""
        return RATE_HZ

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE_HZ

    @property
    def pcm(self) -> bytes:
        """The sound as 16-bit little-endian PCM at `rate_hz`."""
        return np.round(np.clip(self.samples, -1, 1) * 32767).astype("<i2").tobytes()

    @classmethod
    def read(cls, path: str | Path) -> AudioClip:
        """Read a recording from a file.

        Raises:
            AudioError: the file is missing, not readable, not audio, empty or damaged.
        """
        path = Path(path)
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise AudioError(
                    _("{name} is larger than 1 GB.").format(name=path.name),
                    hint=_("Cut out the part you need."),
                )
            data = path.read_bytes()
        except OSError as error:
            raise AudioError(
                _("{path} cannot be read: {strerror}.").format(path=path, strerror=error.strerror),
                hint=_("Check the path and its permissions."),
            ) from error
        return cls.from_bytes(data, name=path.name)

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str = "The recording") -> AudioClip:
        """Read a recording that is in memory, whatever its container.

        Raises:
            AudioError: it is not audio, empty or damaged; the message begins with `name`.
        """
        if not data:
            raise AudioError(_("{name} is empty.").format(name=name), hint=_(_FORMAT_HINT))
        if data[:4] == b"RIFF" or data[:4] == b"RIFX" or len(data) < 12:
            return _read_wav(data, name)
        return _read_container(data, name)

    @classmethod
    def from_pcm(cls, pcm: bytes, *, rate_hz: int, channels: int = 1) -> AudioClip:
        """Take 16-bit little-endian PCM of a known rate.

        Raises:
            AudioError: nothing is there, half a sample is left over, or the rate is unusable.
        """
        frame_bytes = 2 * channels
        if not pcm:
            raise AudioError(_("The recording is empty."), hint=_("Speak, then release the key."))
        if len(pcm) % frame_bytes:
            raise AudioError(
                _("{count} bytes are no whole number of {frame_bytes}-byte frames.").format(
                    count=len(pcm), frame_bytes=frame_bytes
                ),
                hint=_("Send 16-bit little-endian samples, and never half of one."),
            )
        return _clip(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), channels, rate_hz)


def _clip(interleaved: Samples, channels: int, rate_hz: int) -> AudioClip:
    kept = interleaved[: round(KEPT_S * rate_hz) * channels].reshape(-1, channels)
    mono = kept[:, 0] if channels == 1 else kept.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        mono = np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
    return AudioClip(np.clip(resample(np.ascontiguousarray(mono, np.float32), rate_hz), -1, 1))


def _read_wav(data: bytes, name: str) -> AudioClip:
    """Read RIFF/WAVE.

    The standard library's `wave` (3.11) knows neither float samples nor the extensible header that
    most recorders write for 24 bit.

    Source: "Multiple channel audio data and WAVE files", Microsoft, 2007; RFC 2361.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AudioError(_("{name} is not a recording.").format(name=name), hint=_(_FORMAT_HINT))
    layout: tuple[int, int, int, int] | None = None
    position = 12
    while position + 8 <= len(data):
        tag, size = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if tag == b"fmt ":
            layout = _read_format(data[body : body + size], name)
        elif tag == b"data":
            if layout is None:
                raise AudioError(
                    _("{name} does not say how its samples are stored.").format(name=name),
                    hint=_(_FORMAT_HINT),
                )
            if size == 0 or size >= _STREAMED:
                size = len(data) - body
            elif body + size > len(data):
                # Half a command can be another command ("delete cell three" of "three to five").
                raise AudioError(
                    _("{name} breaks off: {count} of {size} bytes of sound are there.").format(
                        name=name, count=len(data) - body, size=size
                    ),
                    hint=_("Copy or record it again."),
                )
            return _read_samples(data[body : body + size], layout, name)
        position = body + size + (size & 1)
    raise AudioError(
        _("{name} holds no sound: its header is cut short.").format(name=name),
        hint=_("Copy or record it again."),
    )


def _read_format(header: bytes, name: str) -> tuple[int, int, int, int]:
    """Return (kind, channels, rate_hz, bits) of a `fmt ` chunk."""
    if len(header) < 16:
        raise AudioError(
            _("{name} has a header that is cut short.").format(name=name), hint=_("Copy or record it again.")
        )
    kind, channels, rate_hz, _bytes_s, _frame_bytes, bits = struct.unpack_from("<HHIIHH", header)
    if kind == _EXTENSIBLE and len(header) >= 26:
        (kind,) = struct.unpack_from("<H", header, 24)
    supported = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(kind, ())
    if bits not in supported or not 1 <= channels <= 64:
        raise AudioError(
            _(
                "{name} stores its samples in a way that is not supported (format {kind}, {bits} "
                "bit, {channels} channels)."
            ).format(name=name, kind=kind, bits=bits, channels=channels),
            hint=_("Save it as 16-bit PCM WAV."),
        )
    return kind, channels, rate_hz, bits


def _read_samples(body: bytes, layout: tuple[int, int, int, int], name: str) -> AudioClip:
    kind, channels, rate_hz, bits = layout
    if not body:
        raise AudioError(
            _("{name} holds no sound.").format(name=name),
            hint=_("Check that the microphone was on, and record again."),
        )
    if len(body) % (channels * bits // 8):
        raise AudioError(
            _("{name} ends in the middle of a sample.").format(name=name), hint=_("Copy or record it again.")
        )
    if kind == _FLOAT:
        samples = np.frombuffer(body, "<f4" if bits == 32 else "<f8").astype(np.float32)
    elif bits == 8:  # the only unsigned one
        samples = (np.frombuffer(body, "u1").astype(np.float32) - 128) / np.float32(128)
    elif bits == 24:
        wide = np.zeros((len(body) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(body, "u1").reshape(-1, 3)
        samples = (wide.view("<i4")[:, 0] / 2**31).astype(np.float32)
    else:
        samples = (np.frombuffer(body, f"<i{bits // 8}") / 2 ** (bits - 1)).astype(np.float32)
    return _clip(samples, channels, rate_hz)


def _read_container(data: bytes, name: str) -> AudioClip:
    """Read whatever FFmpeg knows, through PyAV (which faster-whisper installs)."""
    try:
        import av
    except ImportError as error:
        raise AudioError(
            _("{name} is no WAV file, and PyAV, which reads the others, is not installed.").format(name=name),
            hint=_('Convert it to WAV, or run: pip install "voice-kernel[local]"'),
        ) from error
    pieces: list[Samples] = []
    frames = 0
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise AudioError(_("{name} has no sound track.").format(name=name), hint=_(_FORMAT_HINT))
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
            for frame in container.decode(audio=0):
                frame.pts = None  # gaps in the time stamps are not our concern
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().reshape(-1).astype(np.float32))
                    frames += len(pieces[-1])
                if frames > KEPT_S * RATE_HZ:
                    break
            pieces += [p.to_ndarray().reshape(-1).astype(np.float32) for p in resampler.resample(None)]
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise AudioError(
            _("{name} is not a recording that can be read.").format(name=name), hint=_(_FORMAT_HINT)
        ) from error
    if not frames:
        raise AudioError(_("{name} holds no sound.").format(name=name), hint=_(_FORMAT_HINT))
    return _clip(np.concatenate(pieces), 1, RATE_HZ)
