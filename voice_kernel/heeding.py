"""What of the things that were heard is meant for us: to be acted on, asked about, or let pass.

An open microphone hears talk, noise and our own voice. Decides from the words, how sure the recogniser is
of them and what they mean; it does not know sound, turns or tools.
"""

from __future__ import annotations

import re
from typing import Literal

from voice_kernel.intents import Completeness, Parse
from voice_kernel.language import used
from voice_kernel.speech.transcriber import Transcript
from voice_kernel.speech.vocabulary import openings, opens_like_a_command

Heed = Literal["act", "ask", "ignore"]

SURE_LOGPROB = -1.0
"""Words that the recogniser holds for less likely than this, in log probability a token, are asked about.
Of 128 commands that were heard right and understood two are below it ("help" in a synthetic voice)."""
UNKNOWN_LOGPROB = -0.7
"""The same for words that no template fits: nothing else speaks for them."""
ECHO_SHARE = 0.6
"""The part of what was heard that must be in what we say ourselves, in its order, to be taken for it."""
SOME_WORDS = 2
"""Fewer words than this are no echo: "stop" is in many answers."""


def is_sure(transcript: Transcript, *, understood: bool = True) -> bool:
    """Return whether the recogniser is sure of what it heard; an engine that does not say so is.

    Args:
        transcript: what was heard.
        understood: whether it is a command as it stands.
    """
    least = SURE_LOGPROB if understood else UNKNOWN_LOGPROB
    return transcript.avg_logprob is None or transcript.avg_logprob >= least


def without_over(text: str, language: str = "en") -> str | None:
    """Return what was said before a closing "over", or None when nothing closes it."""
    for word in openings(language).over or openings("en").over:
        match = re.search(rf"[\s,.;:!?–-]+{word}[\s.!]*$", text, re.IGNORECASE)
        if match and match.start() > 0:
            return text[: match.start()]
    return None


def heed(
    text: str,
    parse: Parse,
    *,
    sure: bool,
    addressed: bool,
    asked: bool = False,
    model: bool = False,
    language: str = "",
) -> Heed:
    """Return what becomes of words that were heard in an open microphone.

    Args:
        text: the words, without a wake phrase.
        parse: what they mean to the grammar.
        sure: whether they were heard well.
        addressed: whether a wake phrase came first: then they are meant for us.
        asked: whether a card or a question waits for a yes or a no.
        model: whether a model answers what the grammar does not understand.
        language: what is spoken, ISO 639-1; empty for the session's language.
    """
    language = language or used()
    if not text.strip():
        return "ignore"
    tools = {call.tool for call in parse.calls}
    if tools and tools <= {"approve", "deny", "accept_changes", "reject_changes"}:
        # A no is always safe to take generously; a yes must have been heard well.
        return "act" if asked and (sure or "approve" not in tools) else "ignore"
    if parse.route == "intents":
        return "act" if sure else "ask"
    if parse.route == "fuzzy":
        return "act" if sure and addressed else "ask"
    if addressed:
        return "act" if sure else "ask" if model else "ignore"
    question = _opens_like_a_question(text, language)
    order = opens_like_a_command(text, language)
    if model and (question or order):
        return "act" if sure else "ask"
    # Who gives a command that we do not know wants to be told so; who asks the room does not.
    return "act" if sure and parse.resembling and order and not question else "ignore"


def may_be_meant(text: str, far: Completeness, language: str = "") -> bool:
    """Return whether words that are not complete yet begin like a command.

    Args:
        text: the words.
        far: how far they are, to the grammar.
        language: what is spoken, ISO 639-1; empty for the session's language.
    """
    language = language or used()
    if far == "unfinished":
        return opens_like_a_command(text, language) and not _opens_like_a_question(text, language)
    return far in ("extensible", "finished")


def is_echo(heard: str, spoken: str) -> bool:
    """Return whether what was heard is what we say ourselves, as a microphone takes it up.

    Args:
        heard: the words.
        spoken: what is being said, or has just been.
    """
    words, ours = _words(heard), _words(spoken)
    if len(words) < SOME_WORDS or not ours:
        return False
    from rapidfuzz import fuzz
    from rapidfuzz.distance import LCSseq

    share = LCSseq.similarity(words, ours) / len(words)
    return share >= ECHO_SHARE or float(fuzz.partial_ratio(" ".join(words), " ".join(ours))) >= 85.0


def _opens_like_a_question(text: str, language: str) -> bool:
    words = _words(text)
    return bool(words) and (
        words[0].split("'")[0] in openings(language).questions or text.rstrip().endswith("?")
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())
