"""The sentences that the code marks for translation, and the catalogues that hold them.

`python tests/marked.py` brings every `locale/*.po` up to date with the code: new sentences come in
unfilled, those that are no longer said go; it prints those that are to be filled in.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "voice_kernel"
MARKS = ("_", "N_", "ngettext_")


@dataclass(frozen=True)
class Marked:
    """One sentence of the code, and where it is first said."""

    english: str
    many: str = ""
    """The form for many, where there is one."""
    place: str = ""


def marked(tree: ast.AST, module: str = "") -> Iterator[Marked]:
    """Give the sentences that a module marks."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS):
            continue
        values = [value for value in node.args if isinstance(value, ast.Constant)]
        texts = [value.value for value in values if isinstance(value.value, str)]
        if texts:
            yield Marked(texts[0], texts[1] if len(texts) > 1 else "", module)
        elif node.func.id != "_" or any(isinstance(value, ast.JoinedStr) for value in node.args):
            raise ValueError(f"{module}:{node.lineno}: a sentence is marked where it is written")


def in_code() -> dict[str, Marked]:
    """Return every sentence of the package by its English."""
    found: dict[str, Marked] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for sentence in marked(ast.parse(path.read_text(encoding="utf-8")), module):
            known = found.get(sentence.english)
            if known is None or (sentence.many and not known.many):
                found[sentence.english] = sentence
    return found


def written(head: str, sentences: dict[str, Marked], forms: dict[str, tuple[str, ...]]) -> str:
    """Return the text of a catalogue: its head, and the entries by the module that says them."""
    parts = [head.strip() + "\n"]
    for sentence in sorted(sentences.values(), key=lambda sentence: sentence.place):
        lines = [f"#: {sentence.place}", f"msgid {_quoted(sentence.english)}"]
        known = forms.get(sentence.english, ())
        if sentence.many:
            known = known if len(known) > 1 else ("", "")
            lines.append(f"msgid_plural {_quoted(sentence.many)}")
            lines += [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(known)]
        else:
            lines.append(f"msgstr {_quoted(known[0] if known else '')}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def update(path: Path) -> list[Marked]:
    """Bring a catalogue up to date; returns what is to be filled in."""
    from voice_kernel.language import Catalogue

    text = path.read_text(encoding="utf-8")
    head = text.partition("\n\n")[0]
    forms, sentences = Catalogue.read(text).forms, in_code()
    path.write_text(written(head, sentences, forms), encoding="utf-8")
    return [sentence for sentence in sentences.values() if sentence.english not in forms]


if __name__ == "__main__":
    sys.path.insert(0, str(PACKAGE.parent))
    for catalogue in sorted((PACKAGE / "locale").glob("*.po")):
        for missing in update(catalogue):
            print(f"{catalogue.name}: {missing.place}: {missing.english}")
