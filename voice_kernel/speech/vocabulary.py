"""Which words to expect: the text that biases recognition, and what a command sounds like.

Whisper takes the text before a sound as a hint to its words and its manner, so the hint is written
the way commands are spoken: in sentences (a bare list makes it copy the commas). It does not know
the grammar of commands; the openings (`openings.yaml`) only decide which of two readings to believe, and
whether somebody who was not understood is told so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice, zip_longest

from voice_kernel.context import Context

STANDING = (
    "Run cells 3 to 5. Run the tests in tests/unit. Plot revenue by month. Show df. Go to github.com. "
    "Add a markdown cell below. Delete this cell. Install the fetch MCP server. Open localhost:8888. "
    "Search the web for pandas and polars. Close the browser. git status. Shell git diff --stat. "
    "Run the command pip list. List the tools of the GitHub server. Restart the kernel. Cancel task 2. "
    "Take a screenshot. Stop talking. Retry. Approve. Help. Undo."
)
"""Sentences of the standing commands; they need no notebook."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """How commands are said in a language: what stands, and a sentence around a name of each kind."""

    standing: str
    show: str = "Show {}."
    plot: str = "Plot {}."
    plot_by: str = "Plot {} by {}."
    tests_in: str = "Run the tests in {}."
    test: str = "Run the test {}."
    server: str = "Start the {} server."
    files_in: str = "List the files in {}."
    heading: str = "Go to {}."


SPOKEN: Mapping[str, Spoken] = {
    "en": Spoken(STANDING),
    "de": Spoken(
        "Führe die Zellen 3 bis 5 aus. Führe die Tests in tests/unit aus. Zeichne Umsatz nach Monat. Zeige "
        "df. Gehe zu github.com. Füge darunter eine Markdown-Zelle ein. Lösche diese Zelle. Installiere den "
        "MCP-Server fetch. Suche im Web nach pandas und polars. Schließe den Browser. git status. "
        "Führe den Befehl pip list aus. Starte den Kernel neu. Aufgabe 2 abbrechen. "
        "Mach einen Screenshot. Sei still. Hilfe. Rückgängig.",
        show="Zeige {}.",
        plot="Zeichne {}.",
        plot_by="Zeichne {} nach {}.",
        tests_in="Führe die Tests in {} aus.",
        test="Führe den Test {} aus.",
        server="Starte den Server {}.",
        files_in="Liste die Dateien in {} auf.",
        heading="Gehe zu {}.",
    ),
}
"""By language. Where there is none, recognition is not biased."""


@dataclass(frozen=True, slots=True)
class Openings:
    """How commands and questions begin and end in a language; comes from `openings.yaml`."""

    commands: frozenset[str] = frozenset()
    """First words of a command. A reading that begins with none of them is compared with an unbiased one,
    since the hint also bends what was no command."""
    endings: frozenset[str] = frozenset()
    """Last words of a command, where it may end in its verb."""
    finite: frozenset[str] = frozenset()
    """Words of a clause: with one of them in it, such a verb orders nothing."""
    questions: frozenset[str] = frozenset()
    """First words of a question."""
    polite: frozenset[str] = frozenset()
    """What may stand before a command's first word and after its last: words, or two with a `-` between."""
    over: frozenset[str] = frozenset()
    """What ends an utterance when it is said last."""


@cache
def openings(language: str) -> Openings:
    """Return how commands and questions begin and end in a language; nothing of one that is not known.

    Args:
        language: what is spoken, ISO 639-1.
    """
    import yaml

    text = resources.files("voice_kernel.speech").joinpath("openings.yaml").read_text("utf-8")
    body: Mapping[str, str] = yaml.safe_load(text).get(language, {})
    return Openings(**{name: frozenset(words.split()) for name, words in body.items()})


_MAX_NAME = 40
"""Longer names are not pronounced, only pasted."""


_TERMS = """
    airflow anthropic api arxiv async await axis boosting branch checkout classifier clustering commit
    conda config correlation csv dask dataframe dbt df diff docker dtype fetch git github gitlab
    gradient groupby histogram huggingface init ipynb json jupyter keras kernel kwargs lambda localhost
    log markdown matplotlib mcp md merge notebook npm numba numpy openai outliers pandas parquet pip
    pivot playwright plotly polars postgres pull push py pypi pyproject pytest pytorch quantile readme
    rebase regex registry regression repo requirements rolling scatter scikit scipy seaborn server
    servers setup sklearn spark sql sqlite src stash stat status streamlit tensorflow tests toml torch
    txt unittest utils uv variance whisper wikipedia window xgboost yaml
"""
_COMMON = """
    a add and below by cell close for go in of run show start stop take task test the this to
"""
TERMS = frozenset(_TERMS.split()) | (
    frozenset(re.findall(r"[a-z]+|\d+", STANDING.lower())) - frozenset(_COMMON.split())
)
"""Words of the trade: of two readings that are about as likely, the one with more of them is meant."""
MOST_TERMS = 5


def terms(text: str) -> int:
    """Return how many words of the trade a text has, at most `MOST_TERMS`."""
    words = re.findall(r"[a-z']+|\d+", text.lower())
    return min(MOST_TERMS, sum(word in TERMS for word in words))


def opens_like_a_command(text: str, language: str = "en") -> bool:
    """Return whether words sound like an order: by the first, or by the last where that is the verb.

    Politeness aside, and only the first five words are looked at for an opening.

    Args:
        text: the words.
        language: what is spoken, ISO 639-1.
    """
    known = openings(language)
    words = re.sub(r"[^\w\s]", " ", text.lower()).split()
    at = 0
    while at < min(5, len(words)):
        if words[at] in known.commands:
            return True
        courtesy = 2 if "-".join(words[at : at + 2]) in known.polite else words[at] in known.polite
        if not courtesy:
            return _ends_like_a_command(words[at:], known)
        at += courtesy
    return False


def _ends_like_a_command(words: Sequence[str], known: Openings) -> bool:
    said = [word for word in words if word not in known.polite]
    return bool(said) and said[-1] in known.endings and known.finite.isdisjoint(words)


def unglued(text: str) -> str:
    """Return a text with its opening set apart from the word it was written together with.

    "Showbox expected" was "show box expected": a recogniser joins what it does not know to what it knows.
    """
    first, _, rest = text.strip().partition(" ")
    word = first.casefold()
    commands = openings("en").commands
    if word.strip(".,!?") in commands:
        return text
    for opening in sorted(commands, key=len, reverse=True):
        if len(opening) > 3 and word.startswith(opening) and len(word) - len(opening) > 2:
            return f"{first[: len(opening)]} {first[len(opening) :]} {rest}".strip()
    return text


def command_prompt(context: Context, fits: Callable[[str], bool], language: str = "en") -> str:
    """Return the hint for commands: the standing ones, and the context's names in sentences.

    Empty for a language without sentences of its own: English ones would bend what is heard to English.

    Args:
        context: names that may be spoken.
        fits: whether a text is short enough for the recogniser. Names that no longer fit are left
            out, the least likely first.
        language: what is spoken, ISO 639-1.
    """
    if (spoken := SPOKEN.get(language)) is None:
        return ""
    chosen: list[str] = []
    for sentence in _sentences(context, spoken):
        # Nearer to the speech counts more, so the likeliest name comes last.
        if not fits(" ".join((spoken.standing, sentence, *chosen))):
            break
        chosen.insert(0, sentence)
    return " ".join((spoken.standing, *chosen))


def _sentences(context: Context, spoken: Spoken) -> Iterator[str]:
    """Yield sentences with the names of the context, the likeliest first, all kinds in turn."""
    folders = [f.rstrip("/") for f in context.files if f.endswith("/")]
    test_paths = [f for f in context.files if re.search(r"(^|/)tests?(/|_|$)", f)]
    kinds: tuple[Iterable[str], ...] = (
        (spoken.show.format(v.name) for v in reversed(context.variables) if _sayable(v.name)),
        _plots(context.columns, spoken),
        (f"{word}." for word in context.words if _sayable(word)),
        (spoken.tests_in.format(path.rstrip("/")) for path in test_paths if _sayable(path)),
        (spoken.server.format(server) for server in context.servers if _sayable(server)),
        (spoken.test.format(name) for name in context.tests if _sayable(name)),
        (spoken.files_in.format(path) for path in folders if _sayable(path) and path + "/" not in test_paths),
        (spoken.heading.format(heading) for heading in context.headings if _sayable(heading)),
    )
    for row in islice(zip_longest(*kinds), 30):
        yield from (sentence for sentence in row if sentence)


def _plots(columns: tuple[str, ...], spoken: Spoken) -> Iterator[str]:
    names = [name for name in columns if _sayable(name)]
    for first, second in zip_longest(names[::2], names[1::2]):
        yield spoken.plot_by.format(first, second) if second else spoken.plot.format(first)


def _sayable(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and name.isprintable() and not name.startswith("_")
