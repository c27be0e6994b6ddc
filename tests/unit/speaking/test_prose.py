"""Markdown and long texts as sentences, cut so that the first is heard early."""

from __future__ import annotations

from voice_kernel.speaking.phrases import ENGLISH
from voice_kernel.speaking.prose import (
    FIRST_CHARS,
    first_sentences,
    markdown_said,
    pieces,
    sentences,
    settled,
)

ANSWER = """## The mean

The **mean** of `price` is [42.105](https://example.org/a) [1]. You can get it like this:

```python
df["price"].mean()
```

| region | mean |
|---|---|
| north | 3 |

- It has *three* missing values
- Ask me to drop them
"""


def test_markdown_is_read_without_code_tables_and_addresses() -> None:
    assert markdown_said(ANSWER, ENGLISH) == (
        "The mean. The mean of price is 42.1. You can get it like this. It has three missing values. "
        "Ask me to drop them. The code is on the screen. A table is on the screen."
    )


def test_sentences_end_at_full_stops_but_not_in_abbreviations_and_numbers() -> None:
    text = "It took 3.2 seconds, e.g. Two of them failed. Why? See Dr. Smith."
    assert sentences(text) == ["It took 3.2 seconds, e.g. Two of them failed.", "Why?", "See Dr. Smith."]


def test_a_long_first_sentence_is_cut_where_a_speaker_breathes() -> None:
    text = (
        "There are three missing values in the date column, all of them in the last week of March, "
        "and the price is missing where the date is. The rest is complete."
    )
    cut = pieces(text)
    assert len(cut[0]) <= FIRST_CHARS
    assert cut[0] == "There are three missing values in the date column,"
    assert " ".join(cut) == text


def test_what_does_not_fit_is_left_to_the_screen_and_said_so() -> None:
    text = "First. Second one here. Third is the last."
    assert first_sentences(text, 30, ENGLISH) == "First. Second one here. The rest is on the screen."
    assert first_sentences(text, 300, ENGLISH) == text


def test_an_endless_word_is_cut() -> None:
    assert len(first_sentences("word " * 1_000, 100, ENGLISH)) < 260


def test_lines_that_were_only_wrapped_are_one_sentence() -> None:
    text = "The mean is high,\nbut the median\nis low.\n\nNext\n- one\n- two"
    assert markdown_said(text, ENGLISH) == "The mean is high, but the median is low. Next. one. two."


def test_of_a_text_that_is_being_written_whole_sentences_are_settled() -> None:
    assert settled("The mean is 3. It ri") == "The mean is 3. "
    assert settled("The mean is 3.") == ""  # it might become 3.5
    assert settled("The mean") == ""
    assert settled("See e.g. Two of") == ""
    assert settled("A heading\n\n| a | b |\n") == "A heading\n\n"


def test_what_is_settled_is_the_beginning_of_the_whole() -> None:
    whole = sentences(markdown_said(ANSWER, ENGLISH))
    for length in range(len(ANSWER)):
        part = sentences(markdown_said(settled(ANSWER[:length]), ENGLISH, notes=False))
        assert part == whole[: len(part)]
