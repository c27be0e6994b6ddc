"""Speech models by name: `small`, `distil-large-v3`, `Systran/faster-whisper-tiny`.

The names are faster-whisper's, for what is published on the Hugging Face Hub. A model that is in the Hub's
cache on this machine is used as it is, and nothing is asked; another is downloaded, once, because somebody
named it in the settings. It does not know how a model is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path

from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def is_name(model: str) -> bool:
    """Return whether a setting names a model, and not a folder."""
    return _NAME.fullmatch(model) is not None and not Path(model).is_dir()


def find_named(name: str, *, setting: str, install: str, download: bool = True) -> Path:
    """Return the folder of a named model, downloading it where it is not here. Call it off the loop.

    Args:
        name: as faster-whisper knows it, or `owner/name` on the Hub.
        setting: what a person changes when the name is wrong.
        install: the command that installs the engine.
        download: whether a model that is not here may be fetched.

    Raises:
        EngineUnavailable: there is no such model, or it cannot be fetched now.
    """
    try:
        from faster_whisper.utils import available_models, download_model  # heavy: the worker only
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
    except ImportError as error:
        raise EngineUnavailable(
            _("The local speech engine is not installed."), hint=_("Run: {install}").format(install=install)
        ) from error
    if "/" not in name and name not in available_models():
        raise EngineUnavailable(
            _("There is no speech model named {name}.").format(name=name),
            hint=_("Set {setting} to a folder, or to one of: {available_models}.").format(
                setting=setting, available_models=", ".join(available_models())
            ),
        )
    try:
        return Path(download_model(name, local_files_only=True))
    except LocalEntryNotFoundError:
        if not download:
            raise EngineUnavailable(
                _("The speech model {name} is not on this machine yet.").format(name=name),
                hint=_("It is downloaded when it is first used."),
            ) from None
    try:
        return Path(download_model(name))
    except RepositoryNotFoundError as error:
        raise EngineUnavailable(
            _("There is no speech model {name} on the Hub.").format(name=name),
            hint=_("Mend {setting}.").format(setting=setting),
        ) from error
    except (HfHubHTTPError, OSError) as error:  # no network, a full disk, a proxy that says no
        raise EngineUnavailable(
            _("The speech model {name} is not on this machine, and it could not be downloaded.").format(
                name=name
            ),
            hint=_("Download it where there is a network, and name its folder in {setting}.").format(
                setting=setting
            ),
        ) from error
