"""How written things are said aloud: paths, addresses, commands, code and names as words.

Each function takes the words of one slot and the text they stand in, and returns what the person would
have typed, or None when the words cannot be that thing. It does not know what exists: names are
resolved against the user's context in `slots`.

Marks have the names of English dictation ("dot", "slash", "dash dash", "open paren"), which people use in
other languages too; what a language calls them besides is in its lexicon and becomes these names first.

Source: there is no standard for the spoken forms; these are the ones that people and recognisers produce.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice_kernel.context import nearest
from voice_kernel.intents import dictation
from voice_kernel.intents.dictation import is_written
from voice_kernel.intents.words import Lexicon, Word, as_marks, cardinal_at, number_at, said, word_set

_PATH_MARKS = {
    "slash": "/", "dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "tilde": "~",
    "point": ".", "backslash": "/",
}  # fmt: skip
_URL_MARKS = {
    "dot": ".", "slash": "/", "colon": ":", "dash": "-", "hyphen": "-", "underscore": "_", "point": ".",
    "hash": "#", "tilde": "~",
}  # fmt: skip
_PY = ("pie", "pi", "pay", "pea")
"""What recognisers make of the end of a Python file's name."""
_TWO_COLONS = (("call", "in"), ("on", "port"), ("at", "port"))
_COLONS = frozenset(("colon", "column", "colin", "cologne", "colen", "port"))
_DOMAIN_ENDS = word_set(
    "com org net io dev ai co edu gov mil int uk de fr nl es it ch at be se no fi dk pl eu us ca au nz jp cn "
    "in br ru app me info biz tech xyz page site cloud tv fm gg sh so to ly science blog wiki local test "
    "example"
)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+([a-z]{2,10})")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")

_COMMAND_MARKS = {
    "pipe": "|", "star": "*", "asterisk": "*", "tilde": "~", "ampersand": "&", "semicolon": ";",
    "percent": "%", "caret": "^", "backslash": "\\",
}  # fmt: skip
PACKAGES = sorted(
    word_set("""
    numpy pandas matplotlib scipy seaborn scikit-learn scikit-image polars plotly bokeh altair
    statsmodels sympy networkx xgboost lightgbm tensorflow torch torchvision keras transformers
    requests httpx aiohttp beautifulsoup4 lxml flask fastapi django uvicorn pydantic sqlalchemy
    psycopg2 pymongo redis pyarrow openpyxl pillow opencv-python pytest pytest-cov hypothesis black
    ruff mypy jupyterlab notebook ipykernel ipywidgets nbconvert papermill dask numba cython joblib
    tqdm rich typer click pyyaml python-dotenv streamlit gradio openai langchain spacy nltk gensim
    geopandas shapely folium boto3 playwright selenium duckdb xarray h5py great-expectations prophet
    optuna mlflow
    """)
)
"""Packages that people install by name, for a recogniser that writes "numb pie"."""

_METHODS = word_set(
    "head tail info describe sum mean median std var min max count nunique unique isna isnull dropna copy "
    "corr sample keys values items upper lower strip split append reset_index value_counts"
)  # fmt: skip


def typed(words: Sequence[Word], text: str, start: int, end: int) -> str:
    """Return a slot as it stands in the text, marks included; a sentence's last full stop is left out.

    Args:
        words: all words of the text.
        text: the text.
        start: index of the slot's first word.
        end: index after its last word.
    """
    begin = words[start - 1].end if start else 0
    stop = words[end].start if end < len(words) else len(text)
    segment = text[begin:stop].strip().lstrip(":,").strip()
    if (
        len(segment) > 1
        and segment[0] in "\"'“`"
        and segment[-1] in "\"'”`"
        and segment.count(segment[0]) <= 2
    ):
        segment = segment[1:-1]
    if re.search(r"[^\s.][.!?,;]$", segment):
        segment = segment[:-1]
    return segment


def identifier(words: Sequence[Word], lexicon: Lexicon) -> str:
    """Return a name as it would be written in Python, in snake case: `d f` is df, `sales data` sales_data."""
    words = as_marks(words, lexicon.marks)
    texts = [word.text for word in words]
    if len(texts) > 1:
        letters = [lexicon.letters.get(text, text) for text in texts]
        if all(len(letter) == 1 and letter.isalpha() for letter in letters):
            return "".join(letters)
    out = ""
    glue = True
    for word in words:
        text = word.spelled or word.text
        if text in ("underscore", "dot"):
            out += "_" if text == "underscore" else "."
            glue = True
            continue
        number = lexicon.numbers.get(word.text)
        part = str(number) if number is not None and out else text
        if out and len(text) == 1 and len(out.rsplit("_", 1)[-1]) == 1 and not glue and text.isalpha():
            out += part  # a spelled word inside a name: "m c p server"
        else:
            out += part if glue else "_" + part
        glue = False
    return out.replace("-", "_")


def value(words: Sequence[Word], text: str, lexicon: Lexicon) -> str:
    """Return a value as it would be typed: "minus two point five" is -2.5, other words are as said."""
    at = 1 if len(words) > 1 and words[0].text in lexicon.negatives else 0
    end, number = cardinal_at(words, at, lexicon)
    if end == len(words):
        return ("-" if at else "") + number
    return said(text, words).strip("\"'“”")


def path(words: Sequence[Word], text: str, lexicon: Lexicon) -> str | None:
    """Return a path; words that nothing joins are joined by `/`, words around "underscore" are not."""
    words = as_marks(words, lexicon.marks)
    out = ""
    glue = True
    for position, word in enumerate(words):
        if word.text in _PATH_MARKS and (len(words) > 1):
            mark = _PATH_MARKS[word.text]
            out += mark
            glue = True
            continue
        raw = said(text, words[position : position + 1])
        if lexicon.fold(raw) != word.text:
            raw = word.text
        if raw[:1].isupper() and raw[1:].islower() and position == 0 and "." not in raw and "/" not in raw:
            raw = raw.lower()  # a recogniser's capital, not the person's
        if word.text.startswith((".", "/", "_")) and len(word.text) > 1 and out:
            glue = True
        number = lexicon.numbers.get(word.text)
        if number is not None and out:
            raw = str(number)
        if out.endswith(".") and raw in _PY and position == len(words) - 1:
            raw = "py"
        out += raw if glue else ("_" if out in ("test", "tests/test") else "/") + raw
        glue = out.endswith("/")
    out = re.sub(r"/{2,}", "/", out)
    return out or None


def entry(words: Sequence[Word], text: str, lexicon: Lexicon) -> str:
    """Return what would be typed into a field: a number in digits, an address with its marks, else as said.

    "Forty two" is 42, "ann at example dot com" is ann@example.com.
    """
    end, number = cardinal_at(words, 0, lexicon)
    if end == len(words):
        return number
    heard = as_marks(words, lexicon.marks)
    names = [word.text for word in heard]
    if "dot" not in names[1:-1]:
        return said(text, words)
    address = url(words, text, lexicon)
    if address is not None and address.startswith("https://"):
        return address.removeprefix("https://")
    at = max((place for place, name in enumerate(names) if name == "at"), default=0)
    host = url(heard[at + 1 :], text, lexicon)
    local = "".join(_URL_MARKS.get(name, name) for name in names[:at])
    lone = sum(name not in _URL_MARKS for name in names[:at]) - sum(name in _URL_MARKS for name in names[:at])
    if host is not None and host.startswith("https://") and "/" not in host[8:] and lone == 1:
        return f"{local}@{host[8:]}"
    return said(text, words)


def url(words: Sequence[Word], text: str, lexicon: Lexicon, *, join: bool = False) -> str | None:
    """Return an address with its scheme, or None when the words are no address.

    https unless the host is this machine or a number.

    Args:
        words: the words of the slot.
        text: the whole utterance.
        lexicon: the language's marks and numbers.
        join: whether two words before a mark may be one name: "stack overflow dot com".
    """
    words = as_marks(words, lexicon.marks)
    out = ""
    at = 0
    joined = True
    while at < len(words):
        word = words[at]
        mark = _URL_MARKS.get(word.text)
        if out == "localhost":
            heard = tuple(each.text for each in words[at : at + 2])
            if heard[0] in _COLONS or heard in _TWO_COLONS:
                out, joined = out + ":", True
                at += 2 if heard in _TWO_COLONS else 1
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
            if out == "localhost":
                out, joined = out + ":", True
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
            after = words[at + 1].text if at + 1 < len(words) else ""
            if word.text.startswith((".", "/", ":")) or (
                join and after == "dot" and word.text.isalpha() and out.rsplit(".", 1)[-1].isalpha()
            ):
                joined = True
            else:
                return None
        raw = text[word.start : word.end]
        out += raw if lexicon.fold(raw) == word.text and "/" in raw else word.text
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


def command(words: Sequence[Word], text: str, typed: str, lexicon: Lexicon) -> str:
    """Return a shell command: "git diff dash dash stat" is `git diff --stat`.

    Args:
        words: the words of the slot.
        text: the whole utterance.
        typed: the slot as it stands in the utterance, marks included.
        lexicon: the language's numbers and letters.
    """
    words = as_marks(words, lexicon.marks)
    if _SHELL_MARKS.search(typed) and not any(word.text in _SPOKEN_MARKS for word in words):
        return typed  # written, not spoken: every mark counts
    line = _CommandLine(words, text, lexicon)
    while line.at < len(words):
        line.take()
    if [word.text for word in words[:2]] == ["pip", "install"] and (known := package(words[2:])):
        return f"pip install {known}"
    return " ".join(line.out)


def package(words: Sequence[Word]) -> str | None:
    """Return the package that a recogniser wrote as several words: "numb pie" is numpy."""
    if not 1 < len(words) <= 3:
        return None
    return nearest(" ".join(word.text for word in words), PACKAGES)


class _CommandLine:
    """A command as it grows, word by word."""

    def __init__(self, words: Sequence[Word], text: str, lexicon: Lexicon) -> None:
        self._words, self._text, self._lexicon = words, text, lexicon
        self._glue = False
        self._taken = -1
        self.at = 0
        self.out: list[str] = []

    def take(self) -> None:
        """Take the next word, or the next few where they stand for one mark."""
        name, following = self._name(0), self._name(1)
        if name in ("dash", "minus", "hyphen") and following:
            self._dash(name, following)
        elif name == "double" and following in ("dash", "hyphen"):
            self._put("--", 2, right=True)
        elif name == "dot" and len(self._words) > 1:
            self._dot(following)
        elif name == "slash" and len(self._words) > 1:
            self._put("/", 1, left=self.at > 1, right=bool(following))
        elif name == "underscore":
            self._put("_", 1, left=True, right=True)
        elif name in ("equals", "equal") and self.out:
            twice = following in ("equals", "equal")
            self._put("==" if twice else "=", 2 if twice else 1, left=True, right=True)
        elif name == "colon" and self.out:
            self._put(":", 1, left=True, right=True)
        elif name == "greater" and following == "than":
            self._put(">", 2)
        elif name == "dollar" and following:
            self._put("$", 1, right=True)
        elif name in ("quote", "quotes") and following:
            self._quoted()
        elif name in ("ampersand", "and") and following == name:
            self._put("&&", 2)
        elif name in _COMMAND_MARKS:
            self._put(_COMMAND_MARKS[name], 1, right=name == "tilde")
        else:
            self._plain(name)

    def _put(self, piece: str, words: int, *, left: bool = False, right: bool = False) -> None:
        """Append a piece for so many words; glued to what is left of it, or to what comes next."""
        if self.out and (self._glue or left):
            self.out[-1] += piece
        else:
            self.out.append(piece)
        self._glue = right
        self.at += words

    def _name(self, ahead: int) -> str:
        at = self.at + ahead
        return self._words[at].text if at < len(self._words) else ""

    def _raw(self, at: int) -> str:
        return said(self._text, self._words[at : at + 1])

    def _letter(self, at: int) -> str:
        """Return the letter that a word spells, in the case it was written in, or nothing."""
        name = self._words[at].text if at < len(self._words) else ""
        letter = self._lexicon.letters.get(name, name)
        if len(letter) != 1 or not letter.isalpha():
            return ""
        return self._raw(at) if len(name) == 1 else letter

    def _dash(self, name: str, following: str) -> None:
        if following == name:
            self._put("--", 2, right=True)
            return
        flags, end = "", self.at + 1
        while self._letter(end) and flags not in _FLAGS_WITH_VALUE:
            flags += self._letter(end)
            end += 1
        if not flags and len(following) == 2 and following.isalpha() and following not in _SHORT_WORDS:
            flags, end = self._raw(end), end + 1
        if flags:
            self._glue = False
            self._put("-" + flags, end - self.at)
            if flags.endswith("m") and "commit" in self.out:
                self._message()
        else:
            self._put("-", 1, left=bool(self.out) and not self.out[-1].endswith("-"), right=True)

    def _dot(self, following: str) -> None:
        if following == "slash":
            self._put("./", 2, right=True)
        elif following == "dot":
            self._put("..", 2, right=self._name(2) == "slash")
        elif not following or (self.out and self.out[-1] in ("add", "ls", "install", "-e")):
            self._put(".", 1)
        else:
            self._put(".", 1, left=bool(self.out), right=True)

    def _message(self) -> None:
        """Take the words of a commit message up to the next mark, quoted where they are several."""
        end = self.at
        while end < len(self._words) and self._words[end].text not in _MESSAGE_ENDS:
            end += 1
        if end > self.at + 1:
            self._put('"' + said(self._text, self._words[self.at : end]) + '"', end - self.at)

    def _quoted(self) -> None:
        end = self.at + 1
        inner: list[str] = []
        while end < len(self._words) and self._words[end].text not in _QUOTE_ENDS:
            inner.append(self._raw(end))
            end += 1
        while end < len(self._words) and self._words[end].text in _QUOTE_ENDS:
            end += 1
        self._put('"' + " ".join(inner) + '"', end - self.at)

    def _plain(self, name: str) -> None:
        if name.isalpha() and name in self._lexicon.numbers:
            end, value = number_at(self._words, self.at, self._lexicon)[0]
            self._put(str(value), end - self.at)
            return
        start = self._words[self.at].start
        if start == self._taken:  # a contraction was cut in two: its text is already there
            self.at += 1
            return
        self._taken = start
        raw = self._raw(self.at)
        if self.at == 0 and raw[:1].isupper() and raw[1:].islower():
            raw = raw.lower()  # a recogniser's capital
        self._put(raw, 1)


_SHELL_MARKS = re.compile(r"[|<>&;$*\\(){}\[\]~=\"]|(?:^|\s)[-.']|'(?:\s|$)|[./]\S")
_SPOKEN_MARKS = word_set(
    "dash dot slash underscore equals equal colon quote quotes pipe star asterisk tilde ampersand semicolon "
    "hyphen"
)
_MESSAGE_ENDS = word_set("dash minus hyphen double quote quotes pipe ampersand semicolon")
_QUOTE_ENDS = word_set("quote unquote endquote end")
_OPERATOR_ENDS = ("=", "+", "-", "*", "/", "<", ">", ",", "%")
_SHORT_WORDS = word_set("is to in of on or my no so we he it at by up be do go if")
_FLAGS_WITH_VALUE = frozenset(("m", "n", "c", "k"))


def code(words: Sequence[Word], text: str, typed: str, lexicon: Lexicon) -> str:
    """Return Python as it would be typed: "x equals three plus four" is `x = 3 + 4`.

    Args:
        words: the words of the slot.
        text: the whole utterance.
        typed: the slot as it stands in the utterance; taken as it is when it holds marks of code.
        lexicon: the language's numbers and letters.
    """
    if is_written(typed, as_marks(words, lexicon.marks)):
        return typed
    out = dictation.code(words, text, lexicon)
    method = re.search(r"\.([a-z_]+)$", out)
    if method and method.group(1) in _METHODS and not out.startswith(("import", "from")):
        out += "()"
    spoken_print = re.fullmatch(r"print ([^(].*)", out)
    if spoken_print:
        out = f"print({spoken_print.group(1)})"
    return out
