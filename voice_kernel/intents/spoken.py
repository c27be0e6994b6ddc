"""How written things are said aloud: paths, addresses, commands, code and names as words.

Each function takes the words of one slot and the text they stand in, and returns what the person would
have typed, or None when the words cannot be that thing. It does not know what exists: names are
resolved against the user's context in `slots`.

Source: the spoken forms are those of dictation ("dot", "slash", "dash dash", "open paren"); there is no
standard, these are the ones that people and recognisers produce.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from voice_kernel.intents.words import Lexicon, Word, number_at, said, word_set

_T = TypeVar("_T")

_PATH_MARKS = {
    "slash": "/", "dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "tilde": "~",
    "point": ".", "backslash": "/",
}  # fmt: skip
_URL_MARKS = {
    "dot": ".", "slash": "/", "colon": ":", "dash": "-", "hyphen": "-", "underscore": "_", "point": ".",
    "hash": "#", "tilde": "~",
}  # fmt: skip
_COLONS = frozenset(("colon", "column", "colin", "cologne", "colen", "port"))
_DOMAIN_ENDS = word_set(
    "com org net io dev ai co edu gov mil int uk de fr nl es it ch at be se no fi dk pl eu us ca au nz jp cn "
    "in br ru app me info biz tech xyz page site cloud tv fm gg sh so to ly science blog wiki local test "
    "example"
)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+([a-z]{2,10})")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")

_GLUE_RIGHT = object()
_COMMAND_MARKS = {
    "pipe": "|", "star": "*", "asterisk": "*", "tilde": "~", "ampersand": "&", "semicolon": ";",
    "percent": "%", "caret": "^", "backslash": "\\",
}  # fmt: skip
_CODE_PHRASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("is", "not", "equal", "to"), "!="), (("not", "equal", "to"), "!="), (("not", "equals"), "!="),
    (("is", "equal", "to"), "=="), (("equals", "equals"), "=="), (("double", "equals"), "=="),
    (("is", "greater", "than", "or", "equal", "to"), ">="), (("greater", "than", "or", "equal", "to"), ">="),
    (("is", "less", "than", "or", "equal", "to"), "<="), (("less", "than", "or", "equal", "to"), "<="),
    (("is", "greater", "than"), ">"), (("greater", "than"), ">"), (("is", "less", "than"), "<"),
    (("less", "than"), "<"), (("plus", "equals"), "+="), (("minus", "equals"), "-="),
    (("divided", "by"), "/"), (("multiplied", "by"), "*"), (("to", "the", "power", "of"), "**"),
    (("floor", "divided", "by"), "//"), (("equals",), "="), (("equal",), "="), (("plus",), "+"),
    (("minus",), "-"), (("times",), "*"), (("modulo",), "%"), (("squared",), "** 2"), (("cubed",), "** 3"),
)  # fmt: skip
_CODE_TIGHT: tuple[tuple[tuple[str, ...], str, bool, bool], ...] = (
    # words, mark, glued to the left, glued to the right
    (("open", "close", "paren"), "()", True, False), (("open", "close", "parens"), "()", True, False),
    (("open", "paren", "close", "paren"), "()", True, False), (("parens",), "()", True, False),
    (("open", "paren"), "(", True, True), (("open", "parenthesis"), "(", True, True),
    (("left", "paren"), "(", True, True), (("open", "parentheses"), "(", True, True),
    (("close", "paren"), ")", True, False), (("close", "parenthesis"), ")", True, False),
    (("right", "paren"), ")", True, False), (("close", "parentheses"), ")", True, False),
    (("open", "bracket"), "[", True, True), (("open", "square", "bracket"), "[", True, True),
    (("close", "bracket"), "]", True, False), (("close", "square", "bracket"), "]", True, False),
    (("open", "brace"), "{", False, True), (("open", "curly"), "{", False, True),
    (("close", "brace"), "}", True, False), (("close", "curly"), "}", True, False),
    (("open", "quote"), '"', False, True), (("close", "quote"), '"', True, False),
    (("end", "quote"), '"', True, False), (("unquote",), '"', True, False),
    (("dot",), ".", True, True), (("comma",), ",", True, False), (("colon",), ":", True, False),
    (("underscore",), "_", True, True), (("hash",), "#", False, False), (("new", "line"), "\n", True, True),
    (("newline",), "\n", True, True), (("at", "sign"), "@", False, True),
)  # fmt: skip
_METHODS = word_set(
    "head tail info describe sum mean median std var min max count nunique unique isna isnull dropna copy "
    "corr sample keys values items upper lower strip split append reset_index value_counts"
)  # fmt: skip


def identifier(words: Sequence[Word], lexicon: Lexicon) -> str:
    """Return a name as it would be written in Python, in snake case: `d f` is df, `sales data` sales_data."""
    texts = [word.text for word in words]
    if len(texts) > 1:
        letters = [lexicon.letters.get(text, text) for text in texts]
        if all(len(letter) == 1 and letter.isalpha() for letter in letters):
            return "".join(letters)
    out = ""
    glue = True
    for text in texts:
        if text in ("underscore", "dot"):
            out += "_" if text == "underscore" else "."
            glue = True
            continue
        number = lexicon.numbers.get(text)
        part = str(number) if number is not None and out else text
        if out and len(text) == 1 and len(out.rsplit("_", 1)[-1]) == 1 and not glue and text.isalpha():
            out += part  # a spelled word inside a name: "m c p server"
        else:
            out += part if glue else "_" + part
        glue = False
    return out.replace("-", "_")


def path(words: Sequence[Word], text: str, lexicon: Lexicon) -> str | None:
    """Return a path; words that nothing joins are joined by `/`, words around "underscore" are not."""
    out = ""
    glue = True
    for position, word in enumerate(words):
        if word.text in _PATH_MARKS and (len(words) > 1):
            mark = _PATH_MARKS[word.text]
            out += mark
            glue = True
            continue
        raw = said(text, words[position : position + 1])
        if raw.lower() != word.text:
            raw = word.text
        if raw[:1].isupper() and raw[1:].islower() and position == 0 and "." not in raw and "/" not in raw:
            raw = raw.lower()  # a recogniser's capital, not the person's
        if word.text.startswith((".", "/", "_")) and len(word.text) > 1 and out:
            glue = True
        number = lexicon.numbers.get(word.text)
        if number is not None and out:
            raw = str(number)
        out += raw if glue else "/" + raw
        glue = out.endswith("/")
    out = re.sub(r"/{2,}", "/", out)
    return out or None


def url(words: Sequence[Word], text: str, lexicon: Lexicon) -> str | None:
    """Return an address with its scheme, or None when the words are no address.

    https unless the host is this machine or a number.
    """
    out = ""
    at = 0
    joined = True
    while at < len(words):
        word = words[at]
        mark = _URL_MARKS.get(word.text)
        if out == "localhost":
            heard = tuple(each.text for each in words[at : at + 2])
            if heard[0] in _COLONS or heard == ("call", "in"):
                out, joined = out + ":", True
                at += 2 if heard == ("call", "in") else 1
                continue
            if heard[0].isdigit():
                out, joined = out + ":", True
        elif out == "local" and word.text == "host":
            out, joined = "localhost", False
            at += 1
            continue
        if mark is not None and len(words) > 1:
            out += mark
            joined = True
            at += 1
            continue
        numbers = number_at(words, at, lexicon)
        if numbers and (out or len(words) > 1):
            end, value = numbers[0]
            if out[-1:].isdigit() and ":" in out:
                end, value = numbers[-1]  # "eight eight eight eight"
            elif not (joined or out[-1:].isdigit()):
                return None
            out += str(value)
            at, joined = end, False
            continue
        if word.text in ("w", "www") and (at + 2 < len(words)) and word.text == "w":
            out += "w"
            at += 1
            joined = True
            continue
        if not joined:
            if word.text.startswith((".", "/", ":")):
                joined = True
            else:
                return None
        raw = text[word.start : word.end]
        out += raw if raw.lower() == word.text and "/" in raw else word.text
        joined = out.endswith((".", "/", ":"))
        at += 1
    return _with_scheme(out.rstrip("."))


def _with_scheme(address: str) -> str | None:
    lowered = address.lower()
    for scheme in ("https://", "http://", "file://"):
        if lowered.startswith(scheme) and len(address) > len(scheme):
            return scheme + address[len(scheme) :]
    host = re.split(r"[/:?#]", lowered, maxsplit=1)[0]
    rest = address[len(host) :]
    if rest.startswith(":") and not re.match(r":\d{1,5}(?:[/?#]|$)", rest):
        return None
    if host == "localhost" or _ADDRESS.fullmatch(host):
        return f"http://{host}{rest}"
    match = _HOST.fullmatch(host)
    if match and (match.group(1) in _DOMAIN_ENDS):
        return f"https://{host}{rest}"
    return None


def command(words: Sequence[Word], text: str, lexicon: Lexicon) -> str:
    """Return a shell command: "git diff dash dash stat" is `git diff --stat`."""
    out: list[str] = []
    glue = False

    def put(piece: str, *, left: bool = False, right: bool = False) -> None:
        nonlocal glue
        if out and (glue or left):
            out[-1] += piece
        else:
            out.append(piece)
        glue = right

    at = 0
    seen: set[int] = set()
    while at < len(words):
        word = words[at]
        following = words[at + 1].text if at + 1 < len(words) else ""
        name = word.text
        raw = text[word.start : word.end]
        if name in ("dash", "minus", "hyphen") and following:
            if following == name:
                put("--", right=True)
                at += 2
            elif len(lexicon.letters.get(following, following)) == 1 or (
                len(following) == 2 and following not in _SHORT_WORDS
            ):
                letters = ""
                at += 1
                while at < len(words) and len(lexicon.letters.get(words[at].text, words[at].text)) == 1:
                    letter = lexicon.letters.get(words[at].text, words[at].text)
                    letters += said(text, words[at : at + 1]) if len(words[at].text) == 1 else letter
                    at += 1
                    if letters in _LETTER_FLAGS_WITH_VALUE:
                        break
                if not letters:
                    letters = said(text, words[at : at + 1])
                    at += 1
                glue = False
                put("-" + letters)
            else:
                put("-", left=bool(out) and not out[-1].endswith("-"), right=True)
                at += 1
        elif name == "double" and following in ("dash", "hyphen"):
            put("--", right=True)
            at += 2
        elif name == "dot" and len(words) > 1:
            last = at + 1 == len(words)
            if following == "slash":
                put("./", right=True)
                at += 2
            elif following == "dot":
                put("..", right=at + 2 < len(words) and words[at + 2].text == "slash")
                at += 2
            elif last or (out and out[-1] in ("add", "ls", "install", "-e")):
                put(".")
                at += 1
            else:
                put(".", left=bool(out), right=True)
                at += 1
        elif name == "slash" and len(words) > 1:
            put("/", left=bool(out) and at > 1, right=bool(following))
            at += 1
        elif name == "underscore":
            put("_", left=True, right=True)
            at += 1
        elif name in ("equals", "equal") and out:
            put("==" if following in ("equals", "equal") else "=", left=True, right=True)
            at += 2 if following in ("equals", "equal") else 1
        elif name == "colon" and out:
            put(":", left=True, right=True)
            at += 1
        elif name == "greater" and following == "than":
            put(">")
            at += 2
        elif name == "dollar" and following:
            put("$", right=True)
            at += 1
        elif name in ("quote", "quotes") and following:
            at += 1
            inner: list[str] = []
            while at < len(words) and words[at].text not in ("quote", "unquote", "endquote", "end"):
                inner.append(said(text, words[at : at + 1]))
                at += 1
            while at < len(words) and words[at].text in ("quote", "unquote", "endquote", "end"):
                at += 1
            put('"' + " ".join(inner) + '"')
        elif name in ("ampersand", "and") and following == name:
            put("&&")
            at += 2
        elif name in _COMMAND_MARKS:
            put(_COMMAND_MARKS[name], left=False, right=name == "tilde")
            at += 1
        else:
            number = lexicon.numbers.get(name)
            if number is not None and name.isalpha():
                end, value = number_at(words, at, lexicon)[0]
                put(str(value))
                at = end
                continue
            if word.start in seen:  # a contraction was cut in two: its text is already there
                at += 1
                continue
            seen.add(word.start)
            if at == 0 and raw[:1].isupper() and raw[1:].islower():
                raw = raw.lower()
            raw = _with_quotes(text, words, at, raw)
            put(raw)
            at += 1
    return " ".join(out)


def _with_quotes(text: str, words: Sequence[Word], at: int, raw: str) -> str:
    """Return a word with the quotes that were typed around it, those around the whole command left out."""
    word = words[at]
    before = text[word.start - 1 : word.start]
    if before in _QUOTES and before and at > 0:
        raw = before + raw
    after = text[word.end : word.end + 1]
    if after in _QUOTES and after:
        opened = text.count(after, words[0].start, word.end)
        if at < len(words) - 1 or opened % 2:
            raw += after
    return raw


_QUOTES = ("'", '"')
_OPERATOR_ENDS = ("=", "+", "-", "*", "/", "<", ">", ",", "%")
_SHORT_WORDS = word_set("is to in of on or my no so we he it at by up be do go if")
_LETTER_FLAGS_WITH_VALUE = frozenset(("m", "n", "c", "k"))


def code(words: Sequence[Word], text: str, lexicon: Lexicon) -> str:
    """Return Python as it would be typed: "x equals three plus four" is `x = 3 + 4`.

    Words that are already code (they hold marks of their own) are left as they were typed.
    """
    typed = said(text, words)
    if re.search(r"[=()\[\]{}+*/<>]", typed) and not any(word.text in ("equals", "paren") for word in words):
        return typed + _closing(text, words[-1].end, typed)
    out = ""
    glue = True
    at = 0
    while at < len(words):
        tight = _phrase(
            words, at, [(phrase, (mark, left, right)) for phrase, mark, left, right in _CODE_TIGHT]
        )
        if tight:
            at, (mark, left, right) = tight
            left = left and not (mark in "([{" and out.endswith(_OPERATOR_ENDS))
            out = (out.rstrip(" ") if left else out + ("" if glue or not out else " ")) + mark
            glue = right
            continue
        if words[at].text == "quote":
            at += 1
            inner: list[Word] = []
            while at < len(words) and words[at].text not in ("quote", "unquote", "endquote"):
                if words[at].text == "end" and at + 1 < len(words) and words[at + 1].text == "quote":
                    at += 1
                    break
                inner.append(words[at])
                at += 1
            at += 1
            out += ("" if glue or not out else " ") + '"' + said(text, inner) + '"'
            glue = False
            continue
        spaced = _phrase(words, at, _CODE_PHRASES)
        if spaced and out:
            at, mark = spaced
            out = f"{out.rstrip(' ')} {mark}"
            glue = False
            continue
        numbers = number_at(words, at, lexicon) if words[at].text[:1].isalpha() else []
        if numbers and not (words[at].text.endswith(("st", "nd", "rd", "th")) or words[at].text == "second"):
            at, value = numbers[0]
            piece = str(value)
        else:
            piece = text[words[at].start : words[at].end]
            if piece.lower() != words[at].text:
                piece = words[at].text
            elif not out and piece[:1].isupper() and piece[1:].islower() and len(words) > 1:
                piece = piece.lower()
            at += 1
            mark = text[words[at - 1].end : words[at - 1].end + 1]
            if mark == "," and at < len(words):
                piece += ","
        if out.endswith((" ", "\n")) or glue or not out:
            out += piece
        else:
            out += " " + piece
        glue = False
    method = re.search(r"\.([a-z_]+)$", out)
    if method and method.group(1) in _METHODS and not out.startswith(("import", "from")):
        out += "()"
    spoken_print = re.fullmatch(r"print ([^(].*)", out)
    if spoken_print:
        out = f"print({spoken_print.group(1)})"
    return out


def _phrase(
    words: Sequence[Word], at: int, phrases: Sequence[tuple[tuple[str, ...], _T]]
) -> tuple[int, _T] | None:
    for phrase, meaning in phrases:
        if (
            words[at].text == phrase[0]
            and tuple(word.text for word in words[at : at + len(phrase)]) == phrase
        ):
            return at + len(phrase), meaning
    return None


def _closing(text: str, end: int, typed: str) -> str:
    """Return the quotes and brackets that stripping a word's punctuation has cut off."""
    closing = ""
    while end < len(text) and text[end] in "\"')]}":
        closing += text[end]
        end += 1
    return closing


def plain(words: Sequence[Word], text: str) -> str:
    """Return free text: the person's own words, a recogniser's quotes and last full stop left out."""
    return said(text, words)
