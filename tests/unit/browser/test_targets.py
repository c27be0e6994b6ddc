"""Words find the element a person means, ask when there are several, and never guess."""

from __future__ import annotations

import pytest

from voice_kernel.tools.browser.outline import Outline, outline_of
from voice_kernel.tools.browser.targets import choose, described

PAGE = outline_of(
    """
- generic [active] [ref=e1]:
  - banner [ref=e2]:
    - link "Home" [ref=e3] [cursor=pointer]:
      - /url: /
    - searchbox "Search the shop" [ref=e4]
    - button "Search" [ref=e5]
    - link "Sign in" [ref=e6] [cursor=pointer]:
      - /url: /login
  - main [ref=e7]:
    - heading "Results" [level=1] [ref=e8]
    - list [ref=e9]:
      - listitem [ref=e10]:
        - link "Blue kettle" [ref=e11]:
          - /url: /1
        - button "Delete" [ref=e12]
      - listitem [ref=e13]:
        - link "Red kettle" [ref=e14]:
          - /url: /2
        - button "Delete" [ref=e15]
      - listitem [ref=e16]:
        - link "Green pan" [ref=e17]:
          - /url: /3
        - button "Delete" [ref=e18]
    - paragraph [ref=e19]:
      - text: Username
      - textbox [ref=e20]
    - paragraph [ref=e21]:
      - text: Password
      - textbox [ref=e22]: hunter2
    - generic [ref=e23]:
      - checkbox "Milk" [ref=e24]
      - text: Milk
    - generic [ref=e25]:
      - checkbox [checked] [ref=e26]
      - text: Bread
    - combobox "Colour" [ref=e27]:
      - option "red" [selected]
      - option "blue"
    - 'button "Save: now" [disabled] [ref=e28]'
    - button "Okay" [ref=e29]
    - button "okay" [ref=e30]
    - textbox "Notes" [ref=e31]:
      - /placeholder: Anything else?
    - img "A kettle" [ref=e32]
"""
)


@pytest.mark.parametrize(
    ("words", "ref"),
    [
        ("sign in", "e6"), ("the sign in link", "e6"), ("Sign-In", "e6"), ("signin", "e6"), ("sine in", "e6"),
        ("home", "e3"), ("search", "e5"), ("the search button", "e5"), ("the search box", "e4"),
        ("the second result", "e14"), ("the first result", "e11"), ("the last result", "e17"),
        ("result number 3", "e17"), ("red kettle", "e14"), ("green", "e17"),
        ("the second delete button", "e15"), ("the button labelled search", "e5"), ("link home", "e3"),
        ("the last delete", "e18"), ("delete next to red kettle", "e15"),
        ("the delete button in the row of green pan", "e18"), ("milk", "e24"), ("the milk checkbox", "e24"),
        ("the checkbox next to bread", "e26"), ("bread", "e26"),
        ("colour", "e27"), ("the colour dropdown", "e27"),
        ("save now", "e28"), ("okay", "e30"), ("Okay", "e29"), ("notes", "e31"),
        ("the kettle picture", "e32"), ("e22", "e22"), ("“Blue kettle”", "e11"),
        ("the heading results", "e8"), ("results", "e8"),
    ],
)  # fmt: skip
def test_words_find_what_is_meant(words: str, ref: str) -> None:
    choice = choose(words, PAGE)
    assert choice.element is not None, [described(e, PAGE) for e in choice.several]
    assert choice.element.ref == ref


@pytest.mark.parametrize(
    ("words", "ref"),
    [
        ("user name", "e20"), ("username", "e20"), ("the password field", "e22"), ("notes", "e31"),
        ("the search box", "e4"), ("search", "e4"), ("search the shop", "e4"),
    ],
)  # fmt: skip
def test_for_typing_a_field_is_meant(words: str, ref: str) -> None:
    choice = choose(words, PAGE, "type")
    assert choice.element is not None
    assert choice.element.ref == ref


@pytest.mark.parametrize(("words", "many"), [("delete", 3), ("the delete button", 3), ("kettle", 2)])
def test_what_is_there_several_times_is_asked_back(words: str, many: int) -> None:
    choice = choose(words, PAGE)
    assert choice.element is None
    assert len(choice.several) == many


def test_the_choices_can_be_told_apart() -> None:
    told = [described(element, PAGE) for element in choose("delete", PAGE).several]
    assert told == [
        "button “Delete” (Blue kettle)",
        "button “Delete” (Red kettle)",
        "button “Delete” (Green pan)",
    ]


def test_what_is_not_there_is_not_clicked() -> None:
    choice = choose("unsubscribe", PAGE)
    assert choice.element is None
    assert choice.several == ()
    assert "Sign in" in choose("sign up please", PAGE).nearest


@pytest.mark.parametrize(
    "words", ["", "the", "button 99", "the twelfth result", "“”", "e999", "\n", "ÿ" * 500]
)
def test_odd_words_choose_nothing(words: str) -> None:
    assert choose(words, PAGE).element is None


@pytest.mark.parametrize(
    "snapshot", ["", "- ", "garbage", "- 'unclosed", '- button "x', "\t- a: b", "- /url: x"]
)
def test_a_broken_snapshot_is_an_empty_page(snapshot: str) -> None:
    outline: Outline = outline_of(snapshot)
    assert len(outline) <= 1


def test_a_dialog_in_front_is_meant_first() -> None:
    page = outline_of(
        '- button "OK" [ref=e1]\n- dialog [ref=e2]:\n  - button "OK" [ref=e3]\n  - button "Cancel" [ref=e4]'
    )
    choice = choose("ok", page)
    assert choice.element is not None
    assert choice.element.ref == "e3"
