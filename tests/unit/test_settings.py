"""Settings: where values come from, which wins, and what a wrong one says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.errors import SettingsError
from voice_kernel.settings import Settings, env_name, load

NOWHERE = Path("/nonexistent/config.toml")


def read(folder: Path, environ: dict[str, str] | None = None, **call: object) -> Settings:
    return load(
        cwd=folder,
        environ=environ or {},
        user_file=folder / "user.toml",
        system_file=folder / "system.toml",
        **call,
    )


def test_shell_is_off_and_no_model_is_on_by_default(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert not settings.shell_allowed
    assert not settings.model_configured


def test_call_beats_environment_beats_dotenv_beats_user_beats_system(tmp_path: Path) -> None:
    expected = ["system", "user", "dotenv", "environ", "call"]
    (tmp_path / "system.toml").write_text('model = "system"')
    seen = [read(tmp_path).model]
    (tmp_path / "user.toml").write_text('model = "user"')
    seen.append(read(tmp_path).model)
    (tmp_path / ".env").write_text("MODEL=dotenv\n")
    seen.append(read(tmp_path).model)
    seen.append(read(tmp_path, {"MODEL": "environ"}).model)
    seen.append(read(tmp_path, {"MODEL": "environ"}, model="call").model)
    assert seen == expected


def test_a_key_locked_by_the_system_file_cannot_be_changed_by_anyone_else(tmp_path: Path) -> None:
    (tmp_path / "system.toml").write_text('shell_allowed = false\n[lock]\nkeys = ["shell_allowed"]\n')
    (tmp_path / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    settings = read(tmp_path, {"ALLOW_CLI_EXECUTION": "true"}, shell_allowed=True)
    assert not settings.shell_allowed


@pytest.mark.parametrize("said", ["true", "True", "1", "yes", "on"])
def test_the_shell_switch_takes_the_usual_words_for_yes(tmp_path: Path, said: str) -> None:
    (tmp_path / ".env").write_text(f"ALLOW_CLI_EXECUTION={said}\n")
    assert read(tmp_path).shell_allowed


def test_an_empty_environment_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert not read(tmp_path, {"OPENAI_API_KEY": "", "ALLOW_CLI_EXECUTION": ""}).model_configured


def test_a_wrong_value_names_its_source_and_its_environment_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALLOW_CLI_EXECUTION=perhaps\n")
    with pytest.raises(SettingsError) as caught:
        read(tmp_path)
    assert ".env" in caught.value.message
    assert "ALLOW_CLI_EXECUTION" in caught.value.hint


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "user.toml").write_text("model = [")
    with pytest.raises(SettingsError, match=r"user\.toml"):
        read(tmp_path)


def test_an_unknown_key_in_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "user.toml").write_text("shel_allowed = true")
    with pytest.raises(SettingsError, match="shel_allowed"):
        read(tmp_path)


def test_a_mistyped_key_is_told_what_it_is_close_to(tmp_path: Path) -> None:
    (tmp_path / "user.toml").write_text("shel_allowed = true")
    with pytest.raises(SettingsError) as caught:
        read(tmp_path)
    assert "shell_allowed" in caught.value.hint


def test_a_dotenv_that_is_no_text_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="no text") as caught:
        read(tmp_path)
    assert caught.value.hint


def test_a_working_folder_that_has_gone_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="working folder"):
        load(environ={}, user_file=tmp_path / "user.toml", system_file=tmp_path / "system.toml")


@given(key=st.text(min_size=8, alphabet=st.characters(codec="ascii", categories=["L", "N"])))
def test_the_api_key_never_shows_in_a_repr(key: str) -> None:
    settings = load(
        cwd=NOWHERE.parent, environ={"OPENAI_API_KEY": f"sk-{key}"}, user_file=NOWHERE, system_file=NOWHERE
    )
    assert f"sk-{key}" not in repr(settings)
    assert f"sk-{key}" not in str(settings.model_dump())


def test_every_setting_has_an_environment_name() -> None:
    names = [env_name(key) for key in Settings.model_fields]
    assert len(set(names)) == len(names)
    assert {"OPENAI_API_KEY", "MODEL", "ALLOW_CLI_EXECUTION", "ALLOW_BROWSER_AUTOMATION"} <= set(names)


@pytest.mark.parametrize(
    ("dotenv", "kept"),
    [
        ("VOICE_KERNEL_BASE_URL=https://stranger.example/v1", False),
        ("VOICE_KERNEL_MODEL_SERVER=https://stranger.example/v1", False),
        ("VOICE_KERNEL_BASE_URL=https://mine.example/v1\nOPENAI_API_KEY=sk-mine", True),
        ("VOICE_KERNEL_BASE_URL=http://127.0.0.1:11434/v1", True),
        ("VOICE_KERNEL_MODEL_SERVER=openai", True),
        ("MODEL=gpt-5", True),
    ],
)
def test_a_folder_has_no_key_of_yours_sent_to_a_server_of_its_choosing(
    tmp_path: Path, dotenv: str, kept: bool
) -> None:
    (tmp_path / ".env").write_text(f"{dotenv}\n")
    nowhere = tmp_path / "nowhere.toml"
    environ = {} if "OPENAI_API_KEY" in dotenv else {"OPENAI_API_KEY": "sk-yours"}
    settings = load(cwd=tmp_path, environ=environ, user_file=nowhere, system_file=nowhere)
    assert (settings.openai_api_key is not None) is kept
    # Who names the server outside of the folder has chosen it.
    mine = dict.fromkeys(("VOICE_KERNEL_BASE_URL", "VOICE_KERNEL_MODEL_SERVER"), "https://mine.example/v1")
    chosen = {**environ, **mine}
    settings = load(cwd=tmp_path, environ=chosen, user_file=nowhere, system_file=nowhere)
    assert settings.openai_api_key is not None
