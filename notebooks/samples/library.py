"""A folder of documents and notebooks that can be asked: a local index, cited passages, a preview.

By words: SQLite's own full-text search, FTS5, which Python brings along, with BM25, Porter's stems and
excerpts with the words marked. (bm25s and rank-bm25 rank by the same formula, and would be a dependency that
neither stems nor makes excerpts.) By meaning, where a model for it is installed: see `embedding`. People ask
in other words than a document's author wrote, and then words alone find two thirds of what they look for.

It knows documents, and neither tools nor a language model.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding import Embedder, Vectors

KINDS = {".md", ".txt", ".rst", ".ipynb"}
MAX_FILES = 2_000
MAX_BYTES = 1_000_000
"""Larger files are left out."""
MAX_WORDS = 220
"""A section that is longer becomes several passages, each of whole paragraphs."""
WEIGHTS = {"title": 1.0, "section": 2.0, "body": 1.0}
"""What a word counts for in each column: a heading says in few words what a passage is about."""

CANDIDATES = 10
"""How many passages are looked at sentence by sentence."""
WORDS_COUNT = 0.1
"""What the best match by words adds to a nearness in meaning, which is 0.3 to 0.8 for what fits."""

# Words that nearly every question has, and that say nothing of what it is about.
STOP = frozenset(
    """
    a about after all also am an and any are as at be because been before being but by can could did
    do does doing don down for from get go had has have having he her here him his how i if in into
    is it its just let ll may me more most my no not now of off on once one only or our out over re
    s shall she should so some somebody something such t take tell than that the their them then
    there these they this those to too under up us use very was we were what when where which while
    who whom why will with would you your
    """.split()  # noqa: SIM905 - prose is easier to read
)


@dataclass(frozen=True)
class Passage:
    """A section of a document, or a part of one: what is found, cited and shown."""

    document: str
    """The file's path within the folder."""
    title: str
    section: str
    place: str
    """Where it begins: `line 12`, or `cell 3` of a notebook."""
    body: str
    excerpt: str = ""
    """The words around those that were asked for."""
    answer: str = ""
    """The sentence that is nearest to the question."""

    @property
    def citation(self) -> str:
        """Where it stands, for a person who wants to look it up."""
        section = f", “{self.section}”" if self.section else ""
        return f"{self.document}{section}, {self.place}"


class Library:
    """The documents of a folder, ready to be asked.

    Args:
        folder: where they are; folders below it count too, hidden ones do not.
        embedder: finds by meaning; without one, passages are found by words only.
    """

    def __init__(self, folder: str | Path, embedder: Embedder | None = None) -> None:
        self.folder = Path(folder)
        self.documents: list[str] = []
        # Tools run in threads of their own; SQLite itself takes care of those.
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute(
            "CREATE VIRTUAL TABLE passages USING fts5("
            "title, section, body, document UNINDEXED, place UNINDEXED, tokenize='porter unicode61')"
        )
        for path in sorted(_documents(self.folder))[:MAX_FILES]:
            self.documents.append(path.relative_to(self.folder).as_posix())
            self._index.executemany(
                "INSERT INTO passages (title, section, body, document, place) VALUES (?, ?, ?, ?, ?)",
                [(p.title, p.section, p.body, p.document, p.place) for p in self._passages(path)],
            )
        self._embedder = embedder
        if embedder is not None:
            texts = self._index.execute("SELECT title, section, body FROM passages ORDER BY rowid")
            self._vectors = embedder.embed([". ".join(row) for row in texts])
        self._sentences: dict[int, Vectors] = {}  # of the passages that came near to a question

    def __len__(self) -> int:
        return int(self._index.execute("SELECT count(*) FROM passages").fetchone()[0])

    def search(self, question: str, limit: int = 3) -> list[Passage]:
        """Return the passages that say most about a question, the best first."""
        scores = self._by_words(question)
        nearest: dict[int, str] = {}
        if self._embedder is not None and question.strip():
            best = max(scores.values(), default=1.0)
            asked = self._embedder.embed([question])[0]
            nearness = self._vectors @ asked
            by_both = {
                row: float(near) + WORDS_COUNT * scores.get(row, 0.0) / best
                for row, near in enumerate(nearness, 1)  # SQLite counts rows from 1
            }
            scores = {}
            for row in _highest(by_both, CANDIDATES):
                near, nearest[row] = self._nearest_sentence(row, asked)
                scores[row] = by_both[row] + near
        return [self._passage(row, question, nearest.get(row, "")) for row in _highest(scores, limit)]

    def _by_words(self, question: str) -> dict[int, float]:
        rows = self._index.execute(
            "SELECT rowid, -bm25(passages, ?, ?, ?) FROM passages WHERE passages MATCH ?",
            (*WEIGHTS.values(), _asked(question)),
        )
        return dict(rows)

    def _nearest_sentence(self, row: int, asked: Vectors) -> tuple[float, str]:
        section, body = self._index.execute(
            "SELECT section, body FROM passages WHERE rowid = ?", (row,)
        ).fetchone()
        sentences = re.split(r"(?<=[.!?])\s+", body)
        if row not in self._sentences:
            assert self._embedder is not None
            self._sentences[row] = self._embedder.embed([f"{section}. {sentence}" for sentence in sentences])
        nearness = self._sentences[row] @ asked
        best = int(nearness.argmax())
        return float(nearness[best]), sentences[best]

    def _passage(self, row: int, question: str, answer: str) -> Passage:
        document, title, section, place, body = self._index.execute(
            "SELECT document, title, section, place, body FROM passages WHERE rowid = ?", (row,)
        ).fetchone()
        marked = self._index.execute(
            "SELECT snippet(passages, 2, '**', '**', ' … ', 40) FROM passages "
            "WHERE passages MATCH ? AND rowid = ?",
            (_asked(question), row),
        ).fetchone()
        excerpt = marked[0] if marked else answer or " ".join(body.split()[:40])
        return Passage(document, title, section, place, body, excerpt, answer)

    def text(self, document: str) -> str:
        """Return a document as Markdown; only those of the folder can be read."""
        if document not in self.documents:
            raise KeyError(document)
        return "\n\n".join(text for _, text in _blocks(self.folder / document))

    def named(self, said: str) -> str:
        """Return the document that somebody means: by its path, its title, or most of the words of either."""
        wanted = set(re.findall(r"[a-z0-9]+", said.lower())) - STOP

        def alike(document: str) -> float:
            names = set(re.findall(r"[a-z0-9]+", f"{document} {self.title(document)}".lower()))
            return len(wanted & names) / len(wanted) if wanted else 0.0

        best = max(self.documents, key=alike, default="")
        if not best or alike(best) < 0.5:
            raise KeyError(said)
        return best

    def title(self, document: str) -> str:
        """Return a document's title."""
        row = self._index.execute(
            "SELECT title FROM passages WHERE document = ? LIMIT 1", (document,)
        ).fetchone()
        return str(row[0]) if row else document

    def _passages(self, path: Path) -> Iterator[Passage]:
        document = path.relative_to(self.folder).as_posix()
        title, section, begins = path.stem.replace("_", " "), "", ""
        gathered: list[str] = []

        def passage() -> Iterator[Passage]:
            if gathered:
                yield Passage(document, title, section, begins, "\n\n".join(gathered))
                gathered.clear()

        for place, block in _blocks(path):
            heading = re.match(r"(#{1,6})\s+(.*)\n*((?s:.*))", block)
            if heading:
                yield from passage()
                marks, name, block = heading.groups()
                title, section = (name, "") if marks == "#" else (title, name)
                begins = place
            elif gathered and len(" ".join([*gathered, block]).split()) > MAX_WORDS:
                yield from passage()
                begins = place
            begins = begins or place
            if block:
                gathered.append(block)
        yield from passage()


def _asked(question: str) -> str:
    """Return a question as FTS5 is asked it: any of its words, the empty ones left out."""
    words = list(dict.fromkeys(re.findall(r"\w+", question.lower())))
    asked = [word for word in words if word not in STOP] or words
    # Each in quotes: without them FTS5 would read some as its own, such as NEAR and NOT.
    return " OR ".join(f'"{word}"' for word in asked) or '""'


def _highest(scores: dict[int, float], limit: int) -> list[int]:
    return sorted(scores, key=lambda row: -scores[row])[:limit]


def _documents(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in KINDS and not hidden and path.is_file() and path.stat().st_size <= MAX_BYTES:
            yield path


def _blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Give a document's paragraphs, or a notebook's cells, each with its place."""
    text = path.read_text("utf-8", errors="replace")
    if path.suffix == ".ipynb":
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            source = "".join(cell["source"]).strip()
            if source:
                yield (
                    f"cell {number}",
                    source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```",
                )
        return
    for block in re.finditer(r"\S[^\n]*(?:\n[^\n]*\S[^\n]*)*", text):
        yield f"line {text.count(chr(10), 0, block.start()) + 1}", block[0]


# ---- what is shown --------------------------------------------------------------------------------


def answer_card(question: str, found: list[Passage], answer: str = "") -> dict[str, Any]:
    """Return the passages found, each with its excerpt, its place and a button that shows the document."""
    items = [
        {
            "type": "ListViewItem",
            "key": str(number),
            "onClickAction": {"type": "show_document", "payload": {"document": passage.document}},
            "children": [
                {
                    "type": "Col",
                    "gap": 1,
                    "children": [
                        {
                            "type": "Text",
                            "weight": "semibold",
                            "value": f"{number}. {passage.section or passage.title}",
                        },
                        {"type": "Markdown", "value": passage.excerpt},
                        {"type": "Caption", "value": passage.citation},
                    ],
                }
            ],
        }
        for number, passage in enumerate(found, 1)
    ]
    if not items:
        nothing = {"type": "Text", "value": f"Nothing is written about “{question}”."}
        items = [{"type": "ListViewItem", "children": [nothing]}]
    return {"type": "ListView", "status": {"text": answer or question}, "children": items}


def preview_card(library: Library, document: str) -> dict[str, Any]:
    """Return a document to be read."""
    return {
        "type": "Card",
        "size": "lg",
        "status": {"text": document},
        "children": [{"type": "Markdown", "value": library.text(document)}],
    }
