"""What may have been said when the recogniser wrote something else.

Turns words into readings: the word itself, words joined ("data frame" for "dataframe"), and, only when
nothing was understood otherwise, words of the grammar that sound or look like it, each at a price. Also
finds the phrases nearest to a miss. It knows the grammar's vocabulary, not its templates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from types import MappingProxyType

from voice_kernel.context import sound, squash
from voice_kernel.intents.words import Word

Readings = list[dict[str, tuple[tuple[int, float], ...]]]

LONGEST_REPAIRED = 12
"""Words: a longer utterance is not repaired, it is talk."""
CONFUSED = 0.15
"""Price of a reading that the language's list of confusions names."""
MOST_REMEMBERED = 4096
"""Words whose likenesses are kept."""
ALIKE = 0.75
"""From which likeness on a word counts as found in a phrase."""
LOSING = frozenset(("delete_cells", "mcp_remove", "restart_kernel"))
"""Tools that are offered only to whom said what they begin with: nobody should lose work by a click."""
NEAR = 0.35
"""Least likeness, from 0 to 1, of a phrase that is offered after a miss."""


class Ear:
    """Readings of words, for one grammar.

    Args:
        vocabulary: every word that a template knows.
        confusions: word of the grammar -> what recognisers write for it, `-` between several words.
        function_words: words that nothing is ever taken for.
        phrases: (tool, phrase that is understood) pairs to offer after a miss.
        inside: words of courtesy that may stand between any two words of a template.
        endings: what the language adds to a word to make another form of it.
        forms: irregular form -> the word it is a form of.
        formal: the pronoun of a polite order, after its verb: "führen Sie" is "führe".
        gerund: the ending of verbs after `gerund_after`.
        gerund_after: phrases of courtesy after which verbs have that ending: "would you mind running".
        numbers: number words: which one it was says nothing about the command.
        fold: how the language spells a text that words are compared with.
    """

    def __init__(
        self,
        vocabulary: frozenset[str],
        confusions: Mapping[str, str],
        function_words: frozenset[str],
        phrases: Sequence[tuple[str, str]],
        inside: frozenset[str] = frozenset(),
        endings: Sequence[str] = (),
        forms: Mapping[str, str] = MappingProxyType({}),
        formal: str = "",
        gerund: str = "",
        gerund_after: Sequence[str] = (),
        numbers: Container[str] = (),
        fold: Callable[[str], str] = str.lower,
    ) -> None:
        self.vocabulary = vocabulary
        self._inside = inside
        self._endings = frozenset(endings)
        self._replacing = tuple(ending for ending in endings if len(ending) > 1 and ending[0] in "aei")
        """Endings before which a last e goes: make, making."""
        self._forms = {fold(str(form)): fold(str(word)) for form, word in forms.items()}
        self._formal = formal
        self._gerund = gerund
        self._gerund_after = tuple(tuple(fold(phrase).split()) for phrase in gerund_after)
        self._function_words = function_words
        self._confused: dict[str, list[str]] = {}
        for word, wrong in confusions.items():
            for text in fold(str(wrong)).split():
                self._confused.setdefault(text.replace("-", " "), []).append(fold(str(word)))
        self._content = sorted(
            word for word in vocabulary if len(word) > 2 and word not in function_words and word.isalpha()
        )
        self._alike: dict[str, tuple[tuple[str, float], ...]] = {}
        self._numbers = numbers
        self._phrases = [(tool, phrase, self._content_of(fold(phrase).split())) for tool, phrase in phrases]
        self._firsts = frozenset(parts[0] for _, _, parts in self._phrases if parts)
        """What the phrases begin with, verbs for the most part."""
        counts = Counter(word for _, _, parts in self._phrases for word in set(parts))
        self._rarity = {word: 1 / math.sqrt(count) for word, count in counts.items()}

    def readings(self, words: Sequence[Word]) -> Readings:
        """Return each word as itself, and joined with the next where that is a word of the grammar."""
        vocabulary = self.vocabulary
        readings: Readings = []
        count = len(words)
        for at, word in enumerate(words):
            text = word.text
            reading: dict[str, tuple[tuple[int, float], ...]] = {text: ((at + 1, 0.0),)}
            if at + 1 < count and not word.pause:
                joined = text + words[at + 1].text
                if joined in vocabulary and joined != text:
                    reading[joined] = ((at + 2, 0.0),)
                if len(text) == 1 and at + 2 < count:
                    spelled = joined + words[at + 2].text
                    if spelled in vocabulary and len(spelled) == 3:
                        reading[spelled] = ((at + 3, 0.0),)
            readings.append(reading)
        if self._formal:
            self._add_orders(readings, words)
        if self._gerund:
            self._add_verbs(readings, words)
        return readings

    def _add_orders(self, readings: Readings, words: Sequence[Word]) -> None:
        """Read a verb and the pronoun of a polite order as a plain one: "starten Sie" as "starte"."""
        for at in range(len(words) - 1):
            verb = words[at].text
            if words[at + 1].text != self._formal or not verb.endswith("n"):
                continue
            for order in (self._forms.get(f"{verb} {self._formal}", ""), verb[:-1], f"{verb[:-1]}e"):
                if order in self.vocabulary:
                    readings[at].setdefault(order, ((at + 2, 0.0),))

    def _add_verbs(self, readings: Readings, words: Sequence[Word]) -> None:
        """Read "running" as "run" too, where what is said first asks for that form."""
        texts = tuple(word.text for word in words)
        if not any(
            texts[at : at + len(phrase)] == phrase for phrase in self._gerund_after for at in range(3)
        ):
            return
        for at, text in enumerate(texts):
            stem = text.removesuffix(self._gerund)
            if stem == text or len(stem) < 3:
                continue
            for verb in (stem, stem + "e", stem[:-1] if stem[-1] == stem[-2] else stem):
                if verb in self.vocabulary:
                    readings[at].setdefault(verb, ((at + 1, 0.0),))

    def with_courtesy(self, readings: Readings, words: Sequence[Word]) -> Readings:
        """Return readings in which words of courtesy are part of the word before or after them.

        So is a word that is stammered: said twice, it may count once.
        """
        repeated = [at for at in range(len(words) - 1) if words[at].text == words[at + 1].text]
        if not repeated and self._inside.isdisjoint(word.text for word in words):
            return readings
        readings = [dict(reading) for reading in readings]
        for at in reversed(repeated):  # "save the, the notebook"
            for text, ends in readings[at + 1].items():
                readings[at][text] = (*readings[at].get(text, ()), *ends)
        for at in range(len(words) - 1, -1, -1):
            if words[at].text in self._inside and at + 1 < len(words):
                readings[at] = {**readings[at + 1], **readings[at]}
        for reading in readings:
            for text, ends in reading.items():
                further = list(ends)
                for end, price in ends:
                    while end < len(words) and words[end].text in self._inside:
                        end += 1
                        further.append((end, price))
                if len(further) > len(ends):
                    reading[text] = tuple(further)
        return readings

    def near_readings(self, words: Sequence[Word]) -> Readings | None:
        """Return readings with words that sound alike, or None when the words are no command's."""
        if len(words) > LONGEST_REPAIRED:
            return None
        readings = self.readings(words)
        for at, word in enumerate(words):
            extra: dict[str, list[tuple[int, float]]] = {}
            if len(words) > 1:
                self._add(extra, word.text, at + 1)
            else:  # one word alone is repaired only where it is known for what it is taken
                extra = {meant: [(1, CONFUSED)] for meant in self._confused.get(word.text, ())}
            if at + 1 < len(words):
                self._add(extra, f"{word.text} {words[at + 1].text}", at + 2)
            if at + 2 < len(words):
                spread = " ".join(each.text for each in words[at : at + 3])
                for meant in self._confused.get(spread, ()):
                    extra.setdefault(meant, []).append((at + 3, CONFUSED))
            reading = readings[at]
            for text, ends in extra.items():
                known = reading.get(text, ())
                reading[text] = (*known, *(end for end in ends if end[0] not in {e for e, _ in known}))
        return self.with_courtesy(readings, words)

    def believable(self, words: Sequence[Word], repair: float, steps: int) -> bool:
        """Return whether a repair is small for so many words."""
        content = sum(1 for word in words if word.text not in self._function_words)
        return repair > 0 and repair <= min(0.2 * max(content, 1), 0.3 * steps) + 1e-9

    def closest(self, words: Sequence[Word], limit: int = 3) -> tuple[tuple[str, ...], bool]:
        """Return the phrases nearest to what was said, nearest first; none when nothing is near.

        Only those with the verb that was said, if there are any. And whether they have more of it than a
        single word: "open the window" has the verb of "open the failing test" and no more.
        """
        if not self._phrases or len(words) > 40:
            return (), False
        heard = self._content_of([word.text for word in words if len(word.text) > 1])
        if not heard:
            return (), False
        verb = heard[0] if heard[0] in self._firsts else ""
        best: dict[str, tuple[float, str, set[str]]] = {}
        alike: dict[tuple[str, str], float] = {}
        for tool, phrase, parts in self._phrases:
            score, common = self._likeness(heard, parts, alike)
            if tool in LOSING and not any(alike.get((word, parts[0]), 0.0) >= ALIKE for word in heard):
                continue
            if score >= NEAR and score > best.get(tool, (0.0, "", set()))[0]:
                best[tool] = (score, phrase, common)
        found = [scored for scored in best.values() if verb in scored[2]] or list(best.values())
        ranked = sorted(found, key=lambda scored: -scored[0])[:limit]
        common = {word for _, _, words_in_it in ranked for word in words_in_it}
        return tuple(phrase for _, phrase, _ in ranked), len(common) >= min(2, len(words))

    def _content_of(self, words: Sequence[str]) -> list[str]:
        """Return the words that tell one command from another."""
        content = (word.strip(",") for word in words)
        return [
            word
            for word in content
            if word not in self._function_words and word not in self._numbers and not word.isdigit()
        ]

    def _likeness(
        self, heard: Sequence[str], parts: Sequence[str], alike: dict[tuple[str, str], float]
    ) -> tuple[float, set[str]]:
        """Return how much of what was heard is in a phrase, rare words counting more: 0 to 1; and which."""
        found = missing = 0.0
        common: set[str] = set()
        matched: set[str] = set()
        for word in heard:
            weight = self._rarity.get(word, 1.0)
            near, which = 0.0, ""
            for part in parts:
                pair = (word, part)
                if pair not in alike:
                    alike[pair] = self._alikeness(word, part)
                if alike[pair] > near:
                    near, which = alike[pair], part
            if near >= ALIKE:
                matched.add(which)
                common.add(word)
                found += max(weight, self._rarity.get(which, 1.0)) * near
            else:
                missing += 0.5
        unsaid = sum(0.25 * self._rarity.get(part, 1.0) for part in parts if part not in matched)
        return (found / (found + missing + unsaid) if found else 0.0), common

    def _add(self, extra: dict[str, list[tuple[int, float]]], text: str, end: int) -> None:
        for meant in self._confused.get(text, ()):
            extra.setdefault(meant, []).append((end, CONFUSED))
        parts = text.split()
        if any(part in self._function_words for part in parts):
            return
        letters = squash(text)
        if len(letters) < 5:
            return  # short words sound alike by chance: only known confusions count
        if len(parts) == 1 and text in self.vocabulary:
            return  # a word of the grammar was said as it stands
        for meant, price in self._alike_words(letters):
            if meant != text:
                extra.setdefault(meant, []).append((end, price))

    def _alike_words(self, letters: str) -> tuple[tuple[str, float], ...]:
        """Return words of the grammar that letters were perhaps meant for, and the price of each."""
        known = self._alike.get(letters)
        if known is not None:
            return known
        from rapidfuzz import process
        from rapidfuzz.distance import Levenshtein

        heard = sound(letters)
        most = 1 if len(letters) < 7 else 2
        found: list[tuple[str, float]] = []
        for meant, distance, _ in process.extract(
            letters, self._content, scorer=Levenshtein.distance, score_cutoff=3, limit=None
        ):
            if self._same_verb(letters, meant):
                continue
            if distance <= most and (len(letters) > 5 or sound(meant) == heard):
                found.append((meant, 0.1 + 0.1 * distance))
            elif distance == 3 and len(letters) > 5 and meant[0] == letters[0] and sound(meant) == heard:
                found.append((meant, 0.25))
        if len(self._alike) >= MOST_REMEMBERED:
            self._alike.clear()
        alike = self._alike[letters] = tuple(found)
        return alike

    def _alikeness(self, heard: str, word: str) -> float:
        """Return how alike two words are, by spelling or sound, from 0 to 1."""
        if heard == word:
            return 1.0
        if self._same_verb(heard, word):
            return 0.95
        if heard in self.vocabulary:
            return 0.0  # it was said as it stands
        if min(len(heard), len(word)) > 3 and sound(heard) == sound(word):
            return 0.85
        if heard[0] != word[0] and min(len(heard), len(word)) < 6:
            return 0.0  # "stop" is not like "top"
        from rapidfuzz import fuzz

        return fuzz.ratio(heard, word) / 100

    def _same_verb(self, heard: str, meant: str) -> bool:
        """Return whether two words are forms of one: those were said as they stand ("ran the tests")."""
        if self._forms.get(heard) == meant:
            return True
        shorter, longer = sorted((heard, meant), key=len)
        if longer.startswith(shorter) and longer[len(shorter) :] in self._endings:
            return True
        if shorter.endswith("e") and longer.startswith(shorter[:-1]):
            return longer[len(shorter) - 1 :] in self._replacing
        return longer.startswith(shorter + shorter[-1]) and longer[len(shorter) + 1 :] in self._replacing
