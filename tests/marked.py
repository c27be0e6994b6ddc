"""The sentences that the code marks for translation, those it forgot, and the catalogues that hold them.

`python tests/marked.py` brings every `locale/*.po` up to date with the code: new sentences come in
unfilled, those that are no longer said go; it prints those that are to be filled in.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "voice_kernel"
MARKS = ("_", "N_", "ngettext_")
TOLD = frozenset({"Problem", "Failure", "Notice", "Result", "Keeping"})
"""What carries sentences to a person, beside our errors."""
SENTENCES = frozenset({"message", "hint", "summary", "text"})
"""Arguments that are sentences where they are given by name; those given by place are looked at too."""


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


def unmarked(tree: ast.AST, told: frozenset[str], module: str = "") -> Iterator[str]:
    """Give what a module tells a person without a mark: words written in the call of one of `told`.

    What a call is given by another call, or by a name, was worded elsewhere.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in told:
            named = [given.value for given in node.keywords if given.arg in SENTENCES]
            for given in (*node.args, *named):
                for text in _written_out(given):
                    if re.search(r"[A-Za-z]{2}", text) and " " in text.strip():
                        yield f"{module}:{given.lineno}: {text}"


def errors_of(trees: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names of our errors, in whatever module they are."""
    parents = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = {"VoiceKernelError"}
    while more := {name for name, bases in parents.items() if bases & found} - found:
        found |= more
    return frozenset(found)


def _written_out(given: ast.expr) -> Iterator[str]:
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from _written_out(one)
            yield from _written_out(other)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _written_out(part)


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


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
