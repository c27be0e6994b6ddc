"""Templates written out: how they sound, and which slots and rules they have."""

from __future__ import annotations

import pytest

from voice_kernel.errors import IntentError
from voice_kernel.intents.phrases import phrase, slots_in


@pytest.mark.parametrize(
    ("template", "short", "full"),
    [
        ("train [the] model [for {epochs} epochs]", "train model", "train the model for twenty epochs"),
        ("(fit|train) [(a|the)] {name:frame}", "fit frame", "fit a frame"),
        ("stop <please>", "stop kindly now", "stop kindly now"),
        ("stop <unknown_rule>", "stop unknown rule", "stop unknown rule"),
        ("(fast;now) go", "fast now go", "fast now go"),
    ],
)
def test_a_template_is_written_out_short_and_in_full(template: str, short: str, full: str) -> None:
    samples, rules = {"epochs": "twenty"}, {"please": "(kindly|please) now"}
    assert phrase(template, samples, rules, full=False) == short
    assert phrase(template, samples, rules) == full


def test_slots_are_named_in_order() -> None:
    template = "[(from {path}|to <place>)] {number:rows} <please>"
    assert slots_in(template) == (("path", "path"), ("number", "rows"))


def test_a_rule_that_names_itself_ends() -> None:
    with pytest.raises(IntentError, match="refers to itself"):
        phrase("a <b>", {}, {"b": "c <b>"})


@pytest.mark.parametrize("template", ["train [the", "train (a|b", "train {", ""])
def test_a_template_that_cannot_be_read_says_so(template: str) -> None:
    with pytest.raises(IntentError, match="cannot be read"):
        slots_in(template)
