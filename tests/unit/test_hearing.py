"""Which speech engines there are, what each needs, and where it sends the sound."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from voice_kernel.errors import EngineUnavailable, SettingsError
from voice_kernel.hearing import OWN, Hearing, speech_endpoint
from voice_kernel.messages import ListEngines
from voice_kernel.settings import Settings, load
from voice_kernel.speech.chosen import ChosenTranscriber

EXAMPLE = Path(__file__).parents[1] / "data" / "transcriber"
KEY = SecretStr("sk-test-0123456789abcdef")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example package, as if it were installed."""
    monkeypatch.syspath_prepend(str(EXAMPLE))


def hearing(**settings: object) -> Hearing:
    return Hearing(Settings(**settings))  # type: ignore[arg-type]


def test_our_own_engines_come_first_and_installed_ones_follow(installed: None) -> None:
    assert hearing().names == (*OWN, "broken", "gone", "other", "parrot")


async def test_an_engine_of_an_installed_package_hears(installed: None) -> None:
    chosen = ChosenTranscriber(hearing(speech_engine="parrot", speech_model="polly").make, "parrot")
    await chosen.load()
    partials: list[str] = []
    recognition = chosen.open(rate_hz=16_000, on_partial=partials.append)
    recognition.feed(b"\0\0" * 1600)
    transcript = await recognition.finish()
    await chosen.close()
    assert (transcript.text, transcript.engine, partials) == ("polly", "parrot", ["run the"])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", "does not start (RuntimeError)"),
        ("other", "lacks name, sent_to, loaded, load, open, close"),
        ("gone", "does not start (ModuleNotFoundError)"),
        ("nobody", "no speech engine named nobody"),
    ],
)
def test_an_engine_that_is_none_is_said_with_where_it_comes_from(
    installed: None, name: str, why: str
) -> None:
    with pytest.raises(EngineUnavailable) as raised:
        hearing().make(name)
    assert why in raised.value.message
    assert ("parrot-ears" if name != "nobody" else "parrot") in raised.value.hint


def test_an_engine_is_told_the_model_and_the_language(installed: None) -> None:
    assert hearing(language="de").options.language == "de"
    assert hearing(language="de", speech_language="fr").options.language == "fr"
    assert hearing(speech_model="small", speech_model_path="/x").options.model == "small"
    assert hearing(speech_model_path="/x").options.model == "/x"


def test_only_engines_that_send_sound_name_a_host() -> None:
    engines = hearing(speech_url="http://127.0.0.1:8000/v1")
    told = {name: engines.examine(name) for name in OWN}
    assert [(name, engine.sent_to) for name, engine in told.items()] == [
        ("local", ""),
        ("browser", ""),
        ("openai", "127.0.0.1:8000"),
        ("realtime", "127.0.0.1:8000"),
    ]
    assert [engine.problem for engine in told.values()] == ["", "", "", ""]


def test_what_an_engine_lacks_is_said() -> None:
    engines = hearing(speech_language="de", speech_model="tiny.en")
    assert "knows only English" in engines.examine("local").problem
    assert engines.examine("openai").hint == "Set OPENAI_API_KEY."
    assert engines.examine("realtime").hint == "Set OPENAI_API_KEY."
    assert hearing(speech_url="nonsense").examine("openai").problem.startswith("VOICE_KERNEL_SPEECH_URL")


def test_a_key_goes_only_to_the_server_it_is_for() -> None:
    own = speech_endpoint(Settings(openai_api_key=KEY))
    assert (own.server, own.api_key) == ("api.openai.com", KEY.get_secret_value())
    gateway = speech_endpoint(Settings(openai_api_key=KEY, base_url="https://gateway.example/v1"))
    assert (gateway.server, gateway.api_key) == ("gateway.example", KEY.get_secret_value())
    other = speech_endpoint(Settings(openai_api_key=KEY, speech_url="http://speech.example/v1"))
    assert (other.server, other.api_key) == ("speech.example", None)
    keyed = Settings(openai_api_key=KEY, speech_url="http://s.example/v1", speech_api_key=SecretStr("mine"))
    assert speech_endpoint(keyed).api_key == "mine"


def test_every_key_is_among_what_no_log_may_hold() -> None:
    settings = Settings(
        openai_api_key=KEY,
        speech_api_key=SecretStr("speech"),
        search_api_key=SecretStr("s"),
        database_url="postgresql://ada:lovelace@db/kept",
    )
    assert set(settings.secrets) == {KEY.get_secret_value(), "speech", "s", "lovelace"}


def test_an_administrator_can_fix_the_engine(tmp_path: Path) -> None:
    system = tmp_path / "config.toml"
    system.write_text('speech_engine = "local"\n[lock]\nkeys = ["speech_engine"]\n')
    environ = {"VOICE_KERNEL_SPEECH_ENGINE": "openai", "VOICE_KERNEL_CONFIG": str(tmp_path / "none.toml")}
    engines = Hearing(load(cwd=tmp_path, environ=environ, system_file=system))
    told = asyncio.run(engines.listed(ListEngines(id=1), "local"))
    assert (told.locked, told.chosen) == (True, "local")
    with pytest.raises(SettingsError, match="administrator"):
        engines.check_free()
