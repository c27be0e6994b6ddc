"""One decode: at most 30 s of sound in, one line of text out.

Whisper pads every sound to 30 s; CTranslate2 accepts less, and for a spoken command most of the work
is then saved. Short windows make the model repeat itself, so every text passes `without_loops`.
It does not know microphones, silence, or which of several readings is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _
from voice_kernel.speech.melspectrum import HOP, MelSpectrum
from voice_kernel.speech.resampling import Samples
from voice_kernel.speech.transcriber import RATE_HZ
from voice_kernel.speech.weights import only_english

MAX_WINDOW_S = 30.0
"""Whisper's own window, in seconds."""
MIN_COLUMNS = 1000
"""Shorter windows (10 s) are read worse: the model has never seen them."""
MARGIN_COLUMNS = 400
"""Silence after the sound: the model expects an end before the window's end."""
FEATURES_HZ = 50
"""Features that the encoder makes of a second of sound."""
SCORED_MARGIN_S = 0.6
"""Silence after the sound that texts are compared on: all of the window would cost three times as much."""
MAX_PROMPT_TOKENS = 200
"""Whisper keeps half of its 448 positions for the text before; a little less leaves room."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one decode made of a sound."""

    text: str
    avg_logprob: float
    """Mean log probability of a token."""
    no_speech_prob: float


class Encoded:
    """A sound after the encoder: the dear half of the work, shared by several readings."""

    __slots__ = ("duration_s", "features")

    def __init__(self, features: Any, duration_s: float) -> None:
        self.features = features
        self.duration_s = duration_s


class Whisper:
    """A loaded CTranslate2 Whisper model. Used by one thread at a time.

    Args:
        folder: the model's files.
        threads: CPU threads of one decode.
        language: ISO 639-1 code of what is spoken.

    Raises:
        EngineUnavailable: the libraries are missing, the files are no Whisper model, or it does not know
            the language.
    """

    def __init__(self, folder: Path, *, threads: int = 2, language: str = "en") -> None:
        try:
            import ctranslate2  # heavy: the worker only
            import tokenizers
        except ImportError as error:
            raise EngineUnavailable(
                _("The local speech engine is not installed."),
                hint=_('Run: pip install "voice-kernel[local]"'),
            ) from error
        self._storage_view = ctranslate2.StorageView
        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise EngineUnavailable(
                _("{folder} holds no Whisper model that can be loaded.").format(folder=folder),
                hint=_("Convert it with ct2-transformers-converter, or name another folder."),
            ) from error
        if language != "en" and not self._model.is_multilingual:
            # Whisper would write down German as English words that sound like it: worse than nothing.
            raise only_english(folder, language)
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._spectrum = MelSpectrum(self._model.n_mels)
        self.language = language
        self._start = self._start_sequence()

    def encode(self, samples: Samples) -> Encoded:
        """Run the encoder on at most 30 s of sound; what is longer is cut."""
        columns = min(
            round(MAX_WINDOW_S * RATE_HZ) // HOP, max(MIN_COLUMNS, len(samples) // HOP + MARGIN_COLUMNS)
        )
        spectrum = self._spectrum(samples, columns)
        features = self._model.encode(self._storage_view.from_array(spectrum[None]))
        return Encoded(features, len(samples) / RATE_HZ)

    def read(
        self, sound: Encoded, *, prompt: str = "", beam: int = 5, max_tokens: int | None = None
    ) -> Reading:
        """Decode an encoded sound.

        Args:
            sound: from `encode`.
            prompt: text that might have come before; biases towards its words and its manner.
            beam: hypotheses followed at once; 1 is fastest.
            max_tokens: stop after so many; what the length of the sound allows when not given.
        """
        return self._generate(sound, prompt, beam, 1, max_tokens)[0]

    def readings(self, sound: Encoded, *, prompt: str = "", beam: int = 5) -> list[Reading]:
        """Decode like `read`, and return different readings, at most `beam`, the likeliest first."""
        found: dict[str, Reading] = {}
        for reading in self._generate(sound, prompt, beam, beam, None):
            found.setdefault(reading.text, reading)
        return list(found.values())

    def _generate(
        self, sound: Encoded, prompt: str, beam: int, hypotheses: int, max_tokens: int | None
    ) -> list[Reading]:
        tokens = list(self._start)
        if prompt:
            tokens = [self._id("<|startofprev|>"), *self._encode_text(prompt), *tokens]
        # Nobody says more than some ten tokens a second: a bound on loops, and on the time they take.
        longest = min(448, len(tokens) + (max_tokens or 16 + int(sound.duration_s * 10)))
        result = self._model.generate(
            sound.features,
            [tokens],
            beam_size=beam,
            num_hypotheses=hypotheses,
            max_length=longest,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return [
            Reading(
                without_loops(self._tokenizer.decode(ids, skip_special_tokens=True).strip()),
                float(score),
                float(result.no_speech_prob),
            )
            for ids, score in zip(result.sequences_ids, result.scores, strict=True)
        ]

    def likelihoods(self, sound: Encoded, texts: Sequence[str]) -> list[float]:
        """Return how likely each text is for a sound: the mean log probability of its tokens.

        The texts are read along with the sound, nothing is searched: some dozen take as long as one
        reading. Without a hint, so that none has an advantage but what is in the sound.

        Args:
            sound: from `encode`.
            texts: what may have been said; the costs grow with their number.
        """
        if not texts:
            return []
        features = np.asarray(sound.features)
        frames = min(features.shape[1], round((sound.duration_s + SCORED_MARGIN_S) * FEATURES_HZ))
        several = np.ascontiguousarray(np.repeat(features[:, :frames], len(texts), axis=0))
        ids = [self._tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids for text in texts]
        found = self._model.align(
            self._storage_view.from_array(several), list(self._start[:-1]), ids, frames
        )  # it adds the token that says there are no time stamps itself
        return [
            float(np.sum(np.log(np.maximum(result.text_token_probs, 1e-9)))) / (len(tokens) + 1)
            for result, tokens in zip(found, ids, strict=True)
        ]

    def prompt_tokens(self, text: str) -> int:
        """Return how many tokens a prompt takes, of `MAX_PROMPT_TOKENS`."""
        return len(self._tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids)

    def _encode_text(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids
        return ids[-MAX_PROMPT_TOKENS:]

    def _id(self, token: str) -> int:
        return int(self._tokenizer.token_to_id(token))

    def _start_sequence(self) -> Sequence[int]:
        tokens = ["<|startoftranscript|>"]
        if self._model.is_multilingual:
            tokens += [f"<|{self.language}|>", "<|transcribe|>"]
        tokens.append("<|notimestamps|>")
        ids = [self._tokenizer.token_to_id(token) for token in tokens]
        if None in ids:
            raise EngineUnavailable(
                _("The speech model does not know the language {language!r}.").format(language=self.language),
                hint=_("Use a two-letter code such as en, de or fr."),
            )
        return ids

    @cached_property
    def _suppressed(self) -> list[int]:
        """Tokens that are never speech: music notes, brackets, the model's own control words."""
        symbols = ['"', "#", "(", ")", "*", "+", ";", "<", "=", ">", "@", "[", "\\", "]", "^", "`"]
        symbols += ["{", "|", "}", "~", "«", "»", "「", "」", "『", "』"]
        symbols += ["<<", ">>", "<<<", ">>>", "---", "-(", "-[", "('", '("', "((", "))", "(((", ")))"]
        symbols += ["[[", "]]", "{{", "}}", "♪♪", "♪♪♪"]
        found: set[int] = set()
        for symbol in symbols:
            for text in (symbol, " " + symbol):
                ids = self._tokenizer.encode(text, add_special_tokens=False).ids
                if len(ids) == 1:
                    found.add(ids[0])
        for note in "♩♪♫♬♭♮♯":  # several bytes each; the first one is theirs alone
            for text in (note, " " + note):
                found.add(self._tokenizer.encode(text, add_special_tokens=False).ids[0])
        for text in (" -", " '"):  # a dash or quote may be in a word, not begin one
            found.add(self._tokenizer.encode(text, add_special_tokens=False).ids[0])
        for control in ("transcribe", "translate", "startoftranscript", "startofprev", "startoflm"):
            token = self._tokenizer.token_to_id(f"<|{control}|>")
            if token is not None:
                found.add(token)
        return sorted(found)


def without_loops(text: str) -> str:
    """Return the text up to where it begins to repeat itself.

    "no no" is said; "stop stop stop", "run it run it", "Retry. Retry." and a long sentence begun
    again are the model's. What follows a loop is invented too, so it goes as well.
    """
    words = text.split()
    keys = [_key(word) for word in words]
    for start in range(len(words)):
        for length in range(1, len(words) - start):
            end = start + length
            phrase, rest = keys[start:end], keys[end:]
            new_sentence = words[end - 1][-1] in ".?!"
            repeats = _repeats(phrase, rest)
            begun_again = new_sentence and len(rest) >= _BEGUN_AGAIN and rest == phrase[: len(rest)]
            if repeats >= (2 if length == 1 and not new_sentence else 1) or begun_again:
                return " ".join(words[:end])
    return text


_BEGUN_AGAIN = 2
"""A sentence that was begun again for so many words, and then cut off, is a loop as well."""


def _repeats(phrase: list[str], rest: list[str]) -> int:
    """Return how many times a phrase follows itself."""
    count, length = 0, len(phrase)
    while rest[count * length : (count + 1) * length] == phrase:
        count += 1
    return count


def _key(word: str) -> str:
    """Return what two words must share to be the same to the guard; articles all are."""
    bare = re.sub(r"\W", "", word).casefold()
    return "the" if bare in ("a", "an", "this", "that") else bare
