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


def markdown_said(text: str, phrases: Phrases) -> str:
    """Return Markdown as it is read aloud, without code, tables, pictures and addresses."""
    had_code = _FENCE.search(text) is not None
    text = _FENCE.sub("\n", text)
    had_table = _TABLE.search(text) is not None
    text = _TABLE.sub("\n", text)
    text = _TAG.sub(" ", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _CITATION.sub("", text)
    text = _CODE.sub(lambda found: found.group(1) if _PLAIN_CODE.match(found.group(1)) else "", text)
    text = _EMPHASIS.sub(r"\2", text)
    lines = []
    for line in text.splitlines():
        bare = _MARK.sub("", line).strip()
        if bare and bare.strip("-*_= "):
            lines.append(bare if bare[-1] in ".!?:;," else f"{bare}.")
    said = pronounced(" ".join(lines), phrases)
    # Where a text leads up to code with a colon, that code is what is on the screen.
    said = re.sub(r"[:;,]$", ".", said)
    notes = [phrases.code_on_screen] * had_code + [phrases.table_on_screen] * had_table
    return " ".join(filter(None, [said, *notes]))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    found: list[str] = []
    begin = 0
    for end in _ENDS.finditer(text):
        sentence = text[begin : end.start()]
        if _ABBREVIATION.search(sentence) or text[end.end()].islower():
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
