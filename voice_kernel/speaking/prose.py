"""Markdown and long texts as sentences, cut so that the first is heard early.

Code and tables are for the eye: where there were any, one sentence says so. Knows no voice.
"""

from __future__ import annotations

import re

from voice_kernel.speaking.phrases import Phrases
from voice_kernel.speaking.pronunciation import pronounced

FIRST_CHARS = 70
"""The first piece is at most about so long: a voice makes it in a few hundredths of a second."""
PIECE_CHARS = 220

_FENCE = re.compile(r"^(```|~~~).*?^\1[`~]*\s*$|^(```|~~~).*\Z", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"^\s*\|.*\n\s*\|[\s:|-]+\|?\s*\n(?:\s*\|.*(?:\n|\Z))*", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_CITATION = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]")
_CODE = re.compile(r"`+([^`]+)`+")
_MARK = re.compile(r"^\s{0,8}(?:#{1,6}\s+|[-*+]\s+|>\s?|\d+[.)]\s+)", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*\*|__|\*|~~)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_PLAIN_CODE = re.compile(r"[\w./:-]+$")
_ENDS = re.compile(r"(?<=[.!?…])[\"”’)\]]*\s+(?=\S)")
_CLAUSES = re.compile(r"(?<=[,;:–—])\s+")
_ABBREVIATION = re.compile(r"(?:\b[A-Za-z]|\b(?:e\.g|i\.e|z\.B|d\.h|etc|vs|approx|ca|Dr|Mr|Ms|Nr|No))\.$")


def markdown_said(text: str, phrases: Phrases, *, notes: bool = True) -> str:
    """Return Markdown as it is read aloud, without code, tables, pictures and addresses.

    Args:
        text: the Markdown.
        phrases: of the language.
        notes: whether to say that there is code, or a table, on the screen.
    """
    had_code = _FENCE.search(text) is not None
    text = _FENCE.sub("\n", text)
    had_table = _TABLE.search(text) is not None
    text = _TABLE.sub("\n", text)
    text = _TAG.sub(" ", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _CITATION.sub("", text)
    text = _CODE.sub(lambda found: found.group(1) if _PLAIN_CODE.match(found.group(1)) else "", text)
    text = _EMPHASIS.sub(r"\2", text)
    said = pronounced(" ".join(_paragraphs(text)), phrases)
    if not notes:
        return said
    there = [phrases.code_on_screen] * had_code + [phrases.table_on_screen] * had_table
    return " ".join(filter(None, [said, *there]))


def settled(text: str) -> str:
    """Return of a text that is still being written what will stay: whole sentences and paragraphs."""
    ends = [
        found.end() for found in _ENDS.finditer(text) if _is_end(text[: found.start()], text[found.end() :])
    ]
    paragraph = text.rfind("\n\n")
    cut = text[: max([paragraph + 2 if paragraph >= 0 else 0, *ends])]
    lines = cut.splitlines(keepends=True)
    while lines and lines[-1].lstrip().startswith("|"):
        lines.pop()  # a table, perhaps: it is one once its second line is there
    return "".join(lines)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    found: list[str] = []
    begin = 0
    for end in _ENDS.finditer(text):
        sentence = text[begin : end.start()]
        if not _is_end(sentence, text[end.end() :]):
            continue
        found.append(text[begin : end.end()].strip())
        begin = end.end()
    found.append(text[begin:].strip())
    return [sentence for sentence in found if sentence]


def pieces(text: str) -> list[str]:
    """Return a text in the pieces it is spoken in: sentences, and a short first one."""
    cut: list[str] = []
    for sentence in sentences(text):
        limit = FIRST_CHARS if not cut else PIECE_CHARS
        cut.extend(_clauses(sentence, limit) if len(sentence) > limit else [sentence])
    return cut


def first_sentences(text: str, limit: int, phrases: Phrases) -> str:
    """Return as many sentences as fit, at least one, and say so when some were left out."""
    kept: list[str] = []
    all_of_it = sentences(text)
    for sentence in all_of_it:
        if kept and sum(map(len, kept)) + len(sentence) > limit:
            break
        kept.append(sentence)
    if len(kept) == len(all_of_it) and sum(map(len, kept)) <= limit * 2:
        return " ".join(kept)
    if kept and len(kept[0]) > limit * 2:
        kept[0] = kept[0][: limit * 2].rpartition(" ")[0] + "."
    return " ".join([*kept, phrases.rest_on_screen])


def _is_end(before: str, after: str) -> bool:
    """Return whether a full stop ends a sentence, from what stands before and after it."""
    return not _ABBREVIATION.search(before) and not after[:1].islower()


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs, headings and items of a list, each as a sentence of its own."""
    found: list[str] = []
    joins = False
    for line in text.splitlines():
        bare = _MARK.sub("", line).strip()
        if not bare.strip("-*_= "):
            joins = False
            continue
        if joins and bare == line.strip():
            found[-1] = f"{found[-1]} {bare}"  # a line that was only wrapped
        else:
            found.append(bare)
        joins = not line.lstrip().startswith("#")
    return [part if part[-1] in ".!?" else f"{part.rstrip(':;,')}." for part in found]


def _clauses(sentence: str, limit: int) -> list[str]:
    """Cut a long sentence where a speaker would breathe; the first part no longer than the limit."""
    parts: list[str] = []
    for clause in _CLAUSES.split(sentence):
        room = limit if len(parts) <= 1 else PIECE_CHARS
        if parts and len(parts[-1]) + len(clause) < room:
            parts[-1] = f"{parts[-1]} {clause}"
        else:
            parts.append(clause)
    return parts
