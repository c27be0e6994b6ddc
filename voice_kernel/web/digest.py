"""What several pages say about a question, in their own sentences. Deterministic, without a model.

Sentences are chosen whole and never rewritten, so that each can be cited. A sentence counts by the words
it shares with the question (BM25), by what it has in common with the other pages, and by its place; what
another chosen sentence says already counts less (maximal marginal relevance).

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009);
Carbonell and Goldstein, "The Use of MMR" (1998). The libraries that do this (sumy, gensim) want corpora
downloaded first, or are not kept any more.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MAX_SENTENCES = 4_000
"""Looked at, over all pages."""
K1, B = 1.2, 0.75
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]")
_SHORT = frozenset(
    re.findall(r"\S+", "e.g. i.e. vs. Dr. Mr. Mrs. Ms. Prof. St. etc. cf. Fig. No. al. approx. ca. Sec.")
)
"""Words whose dot ends no sentence."""
STOP = frozenset(
    re.findall(
        r"\w+",
        "a about an and are as at be been but by can do does for from had has have how i if in into is it "
        "its me more my no not of on or our so than that the their them then there these they this to was we "
        "were what when where which who why will with would you your",
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a page."""

    page: int
    """Position of its page, from 0."""
    text: str
    start: int
    """Where it begins in the page's text."""


def sentences_of(text: str, page: int = 0) -> list[Sentence]:
    """Return the sentences of a text that can stand alone, in order."""
    found: list[Sentence] = []
    for paragraph in re.finditer(r"[^\n]+", text):
        line = paragraph.group()
        if line.startswith("#"):
            continue
        begin = 0
        for cut in [*_ends(line), len(line)]:
            sentence = line[begin:cut]
            at = paragraph.start() + begin + len(sentence) - len(sentence.lstrip())
            sentence = sentence.strip()
            if 30 <= len(sentence) <= 500 and len(words_of(sentence)) >= 5:
                found.append(Sentence(page, sentence, at))
            begin = cut
    return found


def _ends(line: str) -> list[int]:
    ends = []
    for match in _END.finditer(line):
        last = line[: match.end()].split()[-1] if line[: match.end()].split() else ""
        initial = len(last) == 2 and last[0].isupper()
        following = line[match.end() : match.end() + 1]
        if last not in _SHORT and not initial and not following.islower():
            ends.append(match.end())
    return ends


def words_of(text: str) -> list[str]:
    """Return the words of a text that carry meaning, in small letters, plurals cut."""
    words = (word.lower() for word in _WORD.findall(text))
    return [_stem(word) for word in words if word not in STOP]


def key_sentences(query: str, texts: Sequence[str], many: int = 6) -> list[Sentence]:
    """Return the sentences that say most about a question, the best first.

    Args:
        query: the question; empty for what a text itself is about.
        texts: the pages' texts.
        many: how many at most.
    """
    share = max(50, MAX_SENTENCES // max(1, len(texts)))
    pool = [sentence for page, text in enumerate(texts) for sentence in sentences_of(text, page)[:share]]
    if not pool:
        return []
    bags = [Counter(words_of(sentence.text)) for sentence in pool]
    known_in = Counter(word for bag in bags for word in bag)
    average = sum(bag.total() for bag in bags) / len(bags)
    centre = Counter(word for bag in bags for word in bag)
    top = {word: count for word, count in centre.most_common(40) if count > 1}
    heaviest = max(top.values(), default=1)
    asked = set(words_of(query))
    scores = []
    first_of: dict[int, int] = {}
    for index, (sentence, bag) in enumerate(zip(pool, bags, strict=True)):
        place = index - first_of.setdefault(sentence.page, index)
        relevance = sum(_bm25(word, bag, known_in, len(pool), average) for word in asked)
        central = sum(top.get(word, 0) / heaviest for word in bag) / (len(bag) or 1)
        scores.append(relevance * (2.0 if asked else 0.0) + central + 0.4 / (1 + place / 3))
    chosen: list[int] = []
    open_ = set(range(len(pool)))
    while open_ and len(chosen) < many:
        best = max(
            open_,
            key=lambda i: (
                scores[i] * (1 - max((_alike(bags[i], bags[j]) for j in chosen), default=0.0)),
                -i,
            ),
        )
        open_.discard(best)
        if asked and chosen and not asked & set(bags[best]):
            continue  # beside the question
        if max((_alike(bags[best], bags[j]) for j in chosen), default=0.0) < 0.7:
            chosen.append(best)
    return [pool[index] for index in chosen]


def _bm25(word: str, bag: Counter[str], known_in: Counter[str], many: int, average: float) -> float:
    count = bag[word]
    if not count:
        return 0.0
    rarity = math.log(1 + (many - known_in[word] + 0.5) / (known_in[word] + 0.5))
    return rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * bag.total() / average))


def _alike(first: Counter[str], second: Counter[str]) -> float:
    shared = len(first.keys() & second.keys())
    return shared / (min(len(first), len(second)) or 1)


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
