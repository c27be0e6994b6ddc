"""Passages are whole sentences of the pages, and point to where they stand."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
import web_site

from voice_kernel.web.citations import Citation, markdown
from voice_kernel.web.digest import key_sentences, sentences_of

PAGES = ["\n\n".join(web_site.POLARS), "\n\n".join(web_site.COOKING)]


def test_a_question_is_answered_by_the_sentence_that_is_about_it() -> None:
    best = key_sentences("is polars faster than pandas", PAGES)[0]
    assert best.text == web_site.POLARS[2]


def test_sentences_stand_where_they_say() -> None:
    for sentence in key_sentences("broth", PAGES):
        assert PAGES[sentence.page][sentence.start :].startswith(sentence.text)


def test_what_is_beside_the_question_is_left_out() -> None:
    assert {sentence.page for sentence in key_sentences("cloudy broth", PAGES)} == {1}


def test_the_same_thing_is_not_said_twice() -> None:
    chosen = key_sentences("broth bones", [PAGES[1], PAGES[1]])
    assert len(chosen) == len({sentence.text for sentence in chosen})


def test_no_text_gives_no_sentences() -> None:
    assert key_sentences("anything", ["", "# Only a heading", "Too short."]) == []


@pytest.mark.parametrize(
    ("text", "many"),
    [
        (
            "Dr. Smith measured the samples, e.g. the blue ones, at noon. Then he went home for a long rest.",
            2,
        ),
        ("The value was 3.14 in the first run of the program. J. R. Doe repeated it in the year 1999.", 2),
        ("这是一个足够长的句子用来测试分句功能是否能够正确工作。", 0),
    ],
)
def test_abbreviations_and_numbers_end_no_sentence(text: str, many: int) -> None:
    assert len(sentences_of(text)) == many


def test_a_link_leads_to_the_passage() -> None:
    citation = Citation(1, "https://a.example/x", "T", "a.example", "", web_site.POLARS[2])
    start, end = unquote(citation.link.partition(":~:text=")[2]).split(",")
    assert web_site.POLARS[2].startswith(start)
    assert web_site.POLARS[2].endswith(end)


def test_a_stranger_s_title_is_no_markup() -> None:
    hostile = Citation(
        1,
        "https://a.example/>)<b>",
        "[x](javascript:alert(1))<img src=x>",
        "`s`",
        "",
        "<script>1</script> *a* b",
    )
    text = markdown("# heading\n\n<b>", [hostile])
    for live in ("<img", "<script", "](javascript", "<b>", "\n# "):
        assert live not in text.replace("\\<", "≺").replace("\\[", "⟦").replace("\\]", "⟧")
