"""Checks an installation and says how to mend each thing that is wrong. Changes nothing."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from voice_kernel.errors import SettingsError, VoiceKernelError

if TYPE_CHECKING:
    from voice_kernel.messages import SpeechEngine
    from voice_kernel.settings import Settings

OLDEST_FULL_IPYKERNEL = (7, 1)
"""Before 7.1 nothing reaches a kernel while a cell runs. Source: measured, FACTS on busy kernels."""

WORKER_LIMIT_S = 15.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    level: Literal["ok", "note", "bad"]
    message: str
    cure: str = ""


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    checks: list[Callable[[], Finding]] = [
        _settings,
        _sentences,
        _kernel,
        _kernelspec,
        _front_end,
        _panel,
        _scripted_runs,
        _speech,
        _other_ears,
        _voice,
        _model,
        _shell,
        _executor,
        _browser,
        _research,
        _servers,
    ]
    for check in checks:
        try:
            yield check()
        except SettingsError as error:
            if check is _settings:  # those that need settings would only say it again
                yield Finding("settings", "bad", error.message, error.hint)
        except VoiceKernelError as error:
            yield Finding(check.__name__.strip("_"), "bad", error.message, error.hint)


def _settings() -> Finding:
    from voice_kernel.settings import config_dir, load
    from voice_kernel.task.lanes import misnamed

    settings = load()
    if wrong := misnamed([*settings.task_limits, *settings.task_time_limits]):
        return Finding(
            "settings", "bad", wrong, "Mend VOICE_KERNEL_TASK_LIMITS or VOICE_KERNEL_TASK_TIME_LIMITS."
        )
    return Finding("settings", "ok", f"readable; your own file would be {config_dir() / 'config.toml'}")


def _sentences() -> Finding:
    from voice_kernel.intents import Grammar
    from voice_kernel.settings import load

    settings = load()
    own = settings.sentences_path
    Grammar.load(settings.language, own if own.is_file() else None)
    if own.is_file():
        return Finding("sentences", "ok", f"{own} is readable")
    if settings.sentences_file:
        return Finding("sentences", "bad", f"there is no file {own}", "Mend VOICE_KERNEL_SENTENCES_FILE.")
    return Finding("sentences", "ok", f"built in; your own file would be {own}")


def _kernel() -> Finding:
    version = importlib.metadata.version("ipykernel")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers >= OLDEST_FULL_IPYKERNEL:
        return Finding("kernel", "ok", f"ipykernel {version}")
    return Finding(
        "kernel",
        "note",
        f"ipykernel {version}: clicks and speech arrive only between cells",
        "pip install 'ipykernel>=7.1' makes Cancel work while a cell runs.",
    )


def _kernelspec() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(
            "kernelspec", "bad", "no kernel named python3", "python -m ipykernel install --sys-prefix"
        )
    python = Path(spec.argv[0])
    # A bare name means this environment's Python: jupyter_client puts it in when it starts the kernel.
    if python.is_absolute() and python.parent.resolve() != Path(sys.executable).parent.resolve():
        return Finding(
            "kernelspec",
            "note",
            "the kernel python3 runs another Python than this command",
            "Install voice-kernel there too, or run: python -m ipykernel install --sys-prefix",
        )
    return Finding("kernelspec", "ok", "python3 runs this environment's Python")


def _front_end() -> Finding:
    found = []
    for name in ("jupyterlab", "notebook"):
        if importlib.util.find_spec(name) is not None:
            found.append(f"{name} {importlib.metadata.version(name)}")
    if found:
        return Finding("front end", "ok", ", ".join(found))
    return Finding(
        "front end", "note", "no JupyterLab in this environment", 'pip install "voice-kernel[lab]"'
    )


def _panel() -> Finding:
    bundle = Path(__file__).parent / "ui" / "static" / "panel.js"
    if bundle.is_file():
        return Finding("panel", "ok", f"built, {bundle.stat().st_size // 1024} KB")
    return Finding(
        "panel", "bad", "the panel's bundle is missing", "In a checkout: make setup. Else reinstall."
    )


def _scripted_runs() -> Finding:
    missing = [name for name in ("nbclient", "nbformat") if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(
            "scripted runs",
            "note",
            f"voice-kernel run needs {' and '.join(missing)}",
            'pip install "voice-kernel[run]"',
        )
    return Finding("scripted runs", "ok", "voice-kernel run can open notebook files")


def _speech() -> Finding:
    from voice_kernel.hearing import Hearing
    from voice_kernel.settings import load

    settings = load()
    chosen = Hearing(settings).examine(settings.speech_engine)
    if chosen.problem:
        return Finding("speech", "bad", f"{chosen.name}: {chosen.problem}", chosen.hint)
    model = ""
    if chosen.name == "local":
        from voice_kernel.speech.weights import check_weights

        options = Hearing(settings).options
        model = f"{check_weights(options.model or None, language=options.language).source}, "
    return Finding("speech", "ok", f"{chosen.name}: {model}{_whither(chosen)}")


def _other_ears() -> Finding:
    from voice_kernel.hearing import Hearing
    from voice_kernel.settings import load

    settings = load()
    hearing = Hearing(settings)
    others = [hearing.examine(name) for name in hearing.names if name != settings.speech_engine]
    told = [f"{other.name} ({(other.problem or _whither(other)).rstrip('.')})" for other in others]
    return Finding("other engines", "ok", "; ".join(told), "Choose one with VOICE_KERNEL_SPEECH_ENGINE.")


def _voice() -> Finding:
    from importlib.util import find_spec

    if find_spec("hibari") is None:
        return Finding(
            "voice",
            "note",
            "the kernel has no voice of its own; the browser's, or a server's, can speak",
            'pip install "voice-kernel[local]"',
        )
    return Finding("voice", "ok", "the kernel has a voice of its own, for English")


def _whither(engine: SpeechEngine) -> str:
    if engine.name == "browser":
        return "the page says where its browser sends sound"
    return f"sound is sent to {engine.sent_to}" if engine.sent_to else "sound stays on this machine"


def _model() -> Finding:
    from voice_kernel.settings import load

    settings = load()
    if not settings.model_configured:
        return Finding(
            "model",
            "note",
            "none: the grammar answers alone, nothing leaves this machine",
            "To add one, set OPENAI_API_KEY or VOICE_KERNEL_BASE_URL (and MODEL).",
        )
    if importlib.util.find_spec("agents") is None:
        return Finding("model", "bad", "configured, but not installed", 'pip install "voice-kernel[model]"')
    return Finding("model", "ok", f"{settings.model or 'default model'} at {settings.base_url or 'OpenAI'}")


def _shell() -> Finding:
    from voice_kernel.settings import load
    from voice_kernel.toolbox.policy import SHELL_HINT

    if load().shell_allowed:
        return Finding("shell", "note", "spoken shell commands are allowed (ALLOW_CLI_EXECUTION=true)")
    return Finding("shell", "ok", "spoken shell commands are refused", SHELL_HINT)


def _executor() -> Finding:
    from voice_kernel.settings import load

    settings = load()
    if settings.executor == "local":
        return Finding("executor", "ok", "commands and tests run on this machine")
    return asyncio.run(_dask(settings))


async def _dask(settings: Settings) -> Finding:
    from voice_kernel.task.dask import DaskExecutor

    executor = DaskExecutor(settings.dask_scheduler)
    try:
        async with asyncio.timeout(WORKER_LIMIT_S):
            await executor.run(["true"])
    except TimeoutError:
        return Finding(
            "executor",
            "note",
            f"{executor.place} answers, but no worker was free for {WORKER_LIMIT_S:.0f} s",
            "Start some with: dask worker ADDRESS",
        )
    finally:
        await executor.close()
    return Finding("executor", "ok", f"commands and tests run on {executor.place}")


def _browser() -> Finding:
    from voice_kernel.settings import load
    from voice_kernel.tools.browser import BrowserLife, Choices

    settings = load()
    if not settings.browser_allowed:
        return Finding("browser", "ok", "driving a browser is switched off (ALLOW_BROWSER_AUTOMATION=false)")
    if importlib.util.find_spec("playwright") is None:
        return Finding(
            "browser", "note", "driving a browser needs Playwright", 'pip install "voice-kernel[browser]"'
        )
    choices = Choices(executable=settings.browser_executable)
    program = BrowserLife(choices, Path.cwd, str).executable()
    if program is None:
        return Finding(
            "browser",
            "note",
            "no Chromium on the PATH: only one of Playwright's own can be driven",
            "apt install chromium, or: playwright install chromium",
        )
    return Finding("browser", "ok", f"{program} can be driven")


def _research() -> Finding:
    from voice_kernel.settings import load
    from voice_kernel.web.engines import engine_of

    settings = load()
    missing = [name for name in ("trafilatura", "httpcore") if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(
            "research", "note", "reading the web needs more", 'pip install "voice-kernel[research]"'
        )
    key = settings.search_api_key
    engine = engine_of(settings.search_engine, settings.search_url, key.get_secret_value() if key else "")
    return Finding("research", "ok", f"the web is searched with {engine.name}")


def _servers() -> Finding:
    from voice_kernel.settings import data_folder
    from voice_kernel.tools.mcp import Secrets, ServerFile
    from voice_kernel.tools.mcp.catalog import RUNNERS
    from voice_kernel.tools.mcp.running import program_path

    if importlib.util.find_spec("mcp") is None:
        return Finding("servers", "note", "MCP servers need more", 'pip install "voice-kernel[mcp]"')
    folder = data_folder()
    servers = ServerFile(folder / "mcp.json").read()
    path = program_path()
    gone = sorted(
        {one.command for one in servers.values() if one.command and not shutil.which(one.command, path=path)}
    )
    if gone:
        return Finding("servers", "bad", f"MCP servers need {', '.join(gone)}, which is not here")
    there = [name for name in RUNNERS.values() if shutil.which(name, path=path)]
    place = Secrets(folder / "secrets.json").place
    many = "1 MCP server" if len(servers) == 1 else f"{len(servers)} MCP servers"
    runs = (
        f"servers can be run with {', '.join(there)}"
        if there
        else "there is no npx, uvx or docker to run others"
    )
    return Finding("servers", "ok" if there else "note", f"{many}; {runs}; their secrets are in {place}")
