"""README and docs say what is true: sentences, settings, commands and links.

On these pages curly quotes are for what can be said. Words that are no command of the grammar (dictated
marks, talk, what a model is asked, sentences of somebody's own tools) stand in italics.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from voice_kernel.cli import _parser
from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.settings import Settings, env_name

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
HESITATIONS = {"um"}
SAID = Context(page_open=True, servers=("time", "everything"))
EXTRA = re.compile(r"voice-kernel\[([\w,]+)\]")


def names(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def language(page: Path) -> str:
    return "de" if page.stem == "german" else "en"


def sentences(text: str) -> list[str]:
    return [said for said in re.findall(r"“([^”]+)”", text) if said not in HESITATIONS]


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of a page's tables, without their heads."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not set(line[0]) <= set(" -")]


@pytest.fixture(scope="module")
def grammars() -> dict[str, Grammar]:
    return {language: Grammar.load(language) for language in ("en", "de")}


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "samples"], ids=names)
def test_every_sentence_of_a_page_is_understood(page: Path, grammars: dict[str, Grammar]) -> None:
    grammar = grammars[language(page)]
    routes = {said: grammar.parse(said, SAID).route for said in sentences(page.read_text("utf-8"))}
    assert {said: route for said, route in routes.items() if route != "intents"} == {}


def test_the_samples_sentences_are_those_of_their_notebooks() -> None:
    for line in (ROOT / "docs" / "samples.md").read_text("utf-8").splitlines():
        for said in sentences(line):
            notebook = ROOT / "docs" / re.findall(r"\]\(([^)]+\.ipynb)\)", line)[0]
            assert said in notebook.read_text("utf-8"), said


@pytest.mark.parametrize("page", [page for page in DOCS if "| say | tool |" in page.read_text()], ids=names)
def test_a_sentence_calls_the_tool_that_it_is_listed_under(page: Path, grammars: dict[str, Grammar]) -> None:
    wrong = {}
    for row in rows(page.read_text("utf-8")):
        tools = re.findall(r"`(\w+)`", row[-1])
        for said in sentences(row[0]):
            calls = [call.tool for call in grammars[language(page)].parse(said, SAID).calls]
            if not set(calls) <= set(tools) or not calls:
                wrong[said] = calls
    assert wrong == {}


def test_all_settings_are_listed_with_their_names_and_defaults() -> None:
    listed = {
        row[1].strip("`"): row
        for row in rows((ROOT / "docs/settings.md").read_text("utf-8"))
        if len(row) == 4
    }
    listed.pop("TOML")
    assert set(listed) == set(Settings.model_fields)
    for name, (environment, _name, default, _meaning) in listed.items():
        assert environment == f"`{env_name(name)}`"
        assert_default(name, default)


def assert_default(name: str, told: str) -> None:
    """A default that is a value is shown as one; what is empty may be told in words."""
    default = Settings.model_fields[name].default
    if isinstance(default, (bool, int, float)) or default:
        assert told == f"`{str(default).lower()}`", name
    else:
        assert "`" not in told.removeprefix("that of `language`").removeprefix("`base_url`"), name


def test_the_readmes_settings_are_among_them() -> None:
    by_environment = {env_name(name): name for name in Settings.model_fields}
    for row in rows((ROOT / "README.md").read_text("utf-8")):
        for environment in re.findall(r"`([A-Z][A-Z_]+)`", row[0]):
            assert environment in by_environment
            if "," not in row[0]:
                assert_default(by_environment[environment], row[1])


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {env_name(name) for name in Settings.model_fields}
    known |= {"VOICE_KERNEL_CONFIG", "VOICE_KERNEL_SERVER_TOKEN"}
    assert set(re.findall(r"\bVOICE_KERNEL_[A-Z_]+", page.read_text("utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"(?:\]\(|src(?:set)?=\")([^)\s\"]+)", page.read_text("utf-8")):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), target
        if anchor:
            assert anchor in anchors(aim.read_text("utf-8")), target


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in DOCS if f"docs/{page.name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_command_line_is_one_that_the_program_takes(page: Path) -> None:
    for line in commands(page.read_text("utf-8")):
        _parser().parse_args(shlex.split(line)[1:])  # it exits when it does not


def commands(text: str) -> list[str]:
    """The lines of code blocks that call the program, without the remark two spaces after them."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("voice-kernel ")]
    return [re.split(r"  +", line)[0] for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_make_target_and_extra_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile, target
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for extra in {name for found in EXTRA.findall(text) for name in found.split(",")}:
        assert f"\n{extra} = [" in project, extra
