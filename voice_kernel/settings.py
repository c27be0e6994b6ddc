"""What a person or an administrator can configure, read once.

Names that users of the OpenAI samples know are kept (`OPENAI_API_KEY`, `MODEL`,
`ALLOW_CLI_EXECUTION`, ...); everything else is `VOICE_KERNEL_*`. Precedence: call > environment >
`.env` of the working folder > user TOML > system TOML, except that keys a system TOML locks are
final. Knows files and the environment, and nothing of who uses the values.

A TOML file uses the field names below:

    shell_allowed = true
    model = "gpt-5"
    vocabulary = ["kubeflow", "dbt"]

    [lock]                      # system file only: these cannot be changed by users
    keys = ["shell_allowed"]
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from voice_kernel.errors import SettingsError

MEND = "Mend the file or remove it."

SYSTEM_FILE = Path("/etc/voice_kernel/config.toml")

ENV_NAMES: dict[str, str] = {
    "openai_api_key": "OPENAI_API_KEY",
    "model": "MODEL",
    "shell_allowed": "ALLOW_CLI_EXECUTION",
    "browser_allowed": "ALLOW_BROWSER_AUTOMATION",
    "mcp_registry_url": "MCP_REGISTRY_URL",
}
"""Fields whose environment name is not `VOICE_KERNEL_` and the field's name in capitals."""


SERVERS_OF_KEYS = {
    "openai_api_key": ("base_url", "model_server"),
    "speech_api_key": ("speech_url",),
    "search_api_key": ("search_url",),
}
"""Which settings name the server that a key is sent to."""


class Settings(BaseModel):
    """The settings, with their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    openai_api_key: SecretStr | None = None
    """Turns the model on; also for OpenAI speech engines later."""
    base_url: str = ""
    """A server that speaks OpenAI's protocol, e.g. http://127.0.0.1:11434/v1; turns the model on too."""
    model: str = ""
    """The model's name; empty for the provider's default, or for the only one a server offers."""
    model_server: str = ""
    """Where it runs: `openai`, `ollama`, `llama.cpp`, `vllm`, `lmstudio`, or an address like `base_url`."""
    model_protocol: Literal["auto", "responses", "chat"] = "auto"
    """How the server is spoken to; `auto`: Responses with OpenAI, Chat Completions elsewhere."""
    model_sees: Literal["auto", "yes", "no"] = "auto"
    """Whether the model is shown pictures; `auto`: models of OpenAI are."""
    model_values: Literal["ask", "always", "never"] = "ask"
    """Whether a model is told values of your data, besides names, types, shapes and columns."""
    model_choices: tuple[str, ...] = ()
    """Other models that a ChatKit client may choose for a message, as one says them: `ollama/qwen3`."""
    model_areas: tuple[str, ...] = ()
    """Kinds of tools that the model is offered; empty for all. Small models get lost in many."""
    model_share: Literal["ask", "always"] = "ask"
    """Whether a person is shown what is sent, before the first time it is sent to a server."""
    model_steps: int = Field(default=12, ge=1, le=100)
    """Requests to the model in one turn."""
    model_attempts: int = Field(default=3, ge=1, le=20)
    """How often a model may change and run cells in one turn until they run without an error."""
    model_budget: int = Field(default=0, ge=0)
    """Tokens, in and out, after which a conversation's model stops; 0 for no bound."""
    model_price: str = Field(default="", pattern=r"^$|^[0-9.]+/[0-9.]+$")
    """US dollars for a million tokens in and out, `0.25/2`; empty: no price is shown."""
    shell_allowed: bool = False
    """Whether `run_shell` may run at all."""
    browser_allowed: bool = True
    browser_executable: str = ""
    """Program of a Chromium; empty for the one on the PATH, else Playwright's own."""
    browser_headed: bool = False
    """Whether the browser is a window on the screen."""
    browser_profile: str = ""
    """Folder of a browser profile that is kept; empty for one that is thrown away with the session."""
    mcp_registry_url: str = "https://registry.modelcontextprotocol.io"
    mcp_autostart: bool = True
    """Whether the MCP servers marked so start with every session."""
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    speech_engine: str = Field(default="local", pattern=r"^[A-Za-z0-9][\w.-]*$")
    """Who turns speech into text: `local`, `browser`, `openai`, `realtime`, or the name under which an
    installed package offers another."""
    speech_model: str = ""
    """Model of the `local` engine: a folder in CTranslate2's format, or a name such as `tiny.en` or `small`;
    empty for the installed weights."""
    speech_model_path: str = ""
    """As `speech_model`, which wins; always a folder."""
    speech_language: str = Field(default="", pattern=r"^([a-z]{2})?$")
    """What is spoken, where that is not `language`."""
    speech_url: str = ""
    """A server with OpenAI's interface for speech, http(s) or ws(s); empty for `base_url`, else OpenAI."""
    speech_api_key: SecretStr | None = None
    """The key for `speech_url`: the one for OpenAI is never sent there."""
    transcription_model: str = ""
    """Model of the `openai` engine; empty for OpenAI's own, or the one that the server offers."""
    realtime_model: str = ""
    """Model of the `realtime` engine; empty for OpenAI's own."""
    listen: Literal["push", "toggle", "handsfree"] = "push"
    """How the microphone is used, where the person has chosen nothing in the panel."""
    end_silence_ms: int = Field(default=500, ge=200, le=3000)
    """Hands-free: silence that ends an utterance."""
    wake_phrase: str = Field(default="", max_length=60)
    """Hands-free: words that must come first, e.g. "hey jupyter"; empty for none."""
    earcons: bool = True
    """Whether short tones tell when the microphone opens, has heard, and closes."""
    keep_audio: str = ""
    """Folder in which recordings of what was said are kept; empty: sound stays in memory."""
    vocabulary: tuple[str, ...] = ()
    """Words the recogniser should expect. In the environment: separated by commas."""
    log_dir: str = ""
    """Where full task logs are kept; empty for `voice_kernel/logs` in Jupyter's data folder."""
    log_cap_mb: int = Field(default=512, ge=1)
    """Cap of one task's log; what does not fit is counted and said."""
    keep_history: bool = True
    """Whether conversations and tasks are kept over restarts."""
    database_url: str = ""
    """Where they are kept, as an SQLAlchemy URL; empty for an SQLite file in Jupyter's data folder."""
    history_days: int = Field(default=365, ge=0)
    """Conversations not used for so long are removed; 0 keeps them."""
    history_tasks: int = Field(default=100_000, ge=100)
    """Most tasks kept; the oldest go first."""
    task_limits: dict[str, Annotated[int, Field(ge=1, le=100)]] = {}
    """How many tasks of an area run at once. In the environment: `shell=4,tests=1`."""
    task_time_limits: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Seconds after which a task of an area is ended. In the environment: `shell=3600`."""
    notify_after_s: float = Field(default=20.0, ge=0)
    """A task that took longer is worth a notification, where the person wants them."""
    executor: Literal["local", "dask"] = "local"
    """Where commands, tests and user tools run."""
    dask_scheduler: str = ""
    """Address of the Dask scheduler; empty for the one Dask itself is configured for."""
    dask_retries: int = Field(default=0, ge=0, le=10)
    """How often a task is run again when its worker dies; 0 makes it interrupted."""
    search_engine: Literal["auto", "searxng", "ddgs", "tavily", "exa", "brave"] = "auto"
    """What searches the web; `auto`: SearXNG where `search_url` is set, else public engines by ddgs."""
    search_url: str = ""
    """Address of the SearXNG server, or of another server with the engine's interface."""
    search_api_key: SecretStr | None = None
    search_pages: int = Field(default=4, ge=1, le=10)
    """How many of the pages found are read for the digest."""
    private_hosts: tuple[str, ...] = ()
    """Hosts on this machine or in a private network that pages may be read from: `localhost:8000`."""
    allowed_hosts: tuple[str, ...] = ()
    """When given, no other host is reached: `*.python.org`."""
    denied_hosts: tuple[str, ...] = ()
    speak: Literal["off", "errors", "short", "full"] = "off"
    """How much of an answer the panel speaks aloud, where the person has chosen nothing there."""
    voice: Literal["auto", "local", "browser", "openai"] = "auto"
    """Whose voice; `auto`: one of the browser that needs no network, else the local one."""
    voice_name: str = ""
    """Which voice of OpenAI, or of a server with its interface; empty for the usual one."""
    voice_model: str = ""
    """Which model speaks there; empty for the usual one."""
    speech_rate: float = Field(default=1.0, ge=0.5, le=2.0)
    """How fast is spoken: 1 is the voice's own pace."""
    sentences_file: str = ""
    """The user's own sentences (YAML); empty for `sentences.yaml` in the config folder."""

    _locked: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def model_configured(self) -> bool:
        """Whether a model may answer what the grammar does not."""
        return self.openai_api_key is not None or bool(self.base_url or self.model_server)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no log, no history and no page may hold."""
        values = [getattr(self, name) for name in type(self).model_fields]
        keys = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        passwords = (_password(value) for value in values if isinstance(value, str) and "://" in value)
        return (*keys, *(password for password in passwords if password))

    def is_locked(self, name: str) -> bool:
        """Whether the administrator has fixed a setting, so that nothing else may change it."""
        return name in self._locked

    @property
    def sentences_path(self) -> Path:
        """Where the user's own sentences are, if there are any."""
        if self.sentences_file:
            return Path(self.sentences_file).expanduser()
        return config_dir() / "sentences.yaml"


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:  # no address, whatever it was meant to be
        return ""


def config_dir() -> Path:
    """Return the folder of the user's own files (not created)."""
    from platformdirs import user_config_path

    return user_config_path("voice_kernel")


def data_folder() -> Path:
    """Return the folder of what outlives a session (not created)."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "voice_kernel"


def load(
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    user_file: Path | None = None,
    system_file: Path = SYSTEM_FILE,
    **call: Any,
) -> Settings:
    """Read the settings.

    Args:
        cwd: folder whose `.env` is read; the working folder by default.
        environ: the environment; the process's by default.
        user_file: the user's TOML; `config.toml` in the config folder by default.
        system_file: the administrator's TOML.
        call: fields given by the caller; they win over everything but a lock.

    Raises:
        SettingsError: a file is not readable or a value does not fit; names the file and the key.
    """
    environ = os.environ if environ is None else environ
    user_file = user_file or Path(environ.get("VOICE_KERNEL_CONFIG") or config_dir() / "config.toml")
    dotenv = (cwd or _working_folder()) / ".env"

    system = _toml(system_file)
    locked = _locks(system, system_file)
    layers = [
        (str(system_file), system),
        (str(user_file), _toml(user_file)),
        (str(dotenv), _from_environ(_dotenv(dotenv))),
        ("the environment", _from_environ(environ)),
        ("the call", {key: value for key, value in call.items() if value is not None}),
    ]
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        for key, value in layer.items():
            if source != str(system_file) and key in locked:
                continue
            values[key], sources[key] = value, source
    _keep_keys_from(str(dotenv), values, sources)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            close = difflib.get_close_matches(key, Settings.model_fields, 1)
            raise SettingsError(
                f"There is no setting {key}, which {sources.get(key, 'nowhere')} sets.",
                hint=f"Did you mean {close[0]}?" if close else MEND,
            ) from None
        raise SettingsError(
            f"The setting {key} from {sources.get(key, 'nowhere')} does not fit: {first['msg']}.",
            hint=f"Its environment name is {env_name(key)}.",
        ) from None
    settings._locked = locked
    return settings


def _keep_keys_from(dotenv: str, values: dict[str, Any], sources: Mapping[str, str]) -> None:
    """Leave out a key that is not the folder's own where only the folder's `.env` names who would get it.

    A folder may be a stranger's: its `.env` is not to have your key sent to a server of its choosing.
    """
    for key, servers in SERVERS_OF_KEYS.items():
        if sources.get(key, dotenv) in (dotenv, "the call"):
            continue
        if any(sources.get(name) == dotenv and _is_elsewhere(str(values[name])) for name in servers):
            del values[key]


def _is_elsewhere(server: str) -> bool:
    try:
        host = urlsplit(server).hostname
    except ValueError:
        return True
    return host is not None and host not in ("localhost", "127.0.0.1", "::1")


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise SettingsError(
            "The working folder does not exist any more.", hint="Change to one that does."
        ) from None


def env_name(key: str) -> str:
    """Return the environment variable of a field."""
    return ENV_NAMES.get(key, f"VOICE_KERNEL_{key.upper()}")


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in Settings.model_fields:
        value = environ.get(env_name(key), "").strip()
        if value:
            found[key] = _listed(key, value)
    return found


LISTS = frozenset(
    {"vocabulary", "model_areas", "model_choices", "private_hosts", "allowed_hosts", "denied_hosts"}
)
"""In the environment: separated by commas."""


def _listed(key: str, value: str) -> Any:
    if key in LISTS:
        return [word.strip() for word in value.split(",") if word.strip()]
    if key in ("task_limits", "task_time_limits"):
        pairs = (pair.partition("=") for pair in value.split(",") if pair.strip())
        return {name.strip(): number.strip() for name, _, number in pairs}
    return value


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {key: value for key, value in dotenv_values(path).items() if value is not None}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", hint=MEND) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read: it is no text in UTF-8.", hint=MEND) from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", hint=MEND) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.", hint=MEND) from None


def _locks(system: dict[str, Any], path: Path) -> frozenset[str]:
    lock = system.pop("lock", {})
    keys = lock.get("keys", []) if isinstance(lock, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise SettingsError(f"{path}: [lock] needs keys = [names].")
    unknown = set(keys) - set(Settings.model_fields)
    if unknown:
        raise SettingsError(f"{path}: [lock] names no setting: {', '.join(sorted(unknown))}.")
    return frozenset(keys)
