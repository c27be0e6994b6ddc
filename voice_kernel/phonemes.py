"""How English words and names of code sound, and how far apart two sounds are.

A recogniser writes what it heard with the words it knows: "quarks" for `kwargs`, "the F" for `df`. On
paper those are far apart, in the ear they are neighbours. Here a text becomes phonemes by letter-to-sound
rules, and two strings of phonemes are compared by what it costs to turn one into the other, where sounds
that are made alike cost little. It does not know any grammar, nor which names exist.

Source: the rules are in the manner of Elovitz et al., "Letter-to-sound rules for automatic translation of
English text to phonetics" (IEEE, 1976), and much fewer; the prices follow the confusions of phonemes by
place and manner in Miller and Nicely, "An analysis of perceptual confusions among some English consonants"
(1955).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product

MAX_FORMS = 6
"""Ways of saying one name that are kept."""

# One character a phoneme. Vowels: i beat, I bit, e bet, A bat, a hot or law, @ but and the weak vowel,
# U put, u boot, E bait, Y bite, W out, O boy, o boat, R bird. Consonants as written, and: S ship, Z vision,
# C chip, J judge, T thin, D this, N sing, j yes.
VOWELS = frozenset("iIeAa@UuEYWOoR")

_WORDS = {
    "a": "@", "the": "D@", "of": "@v", "to": "tu", "do": "du", "you": "ju", "one": "w@n", "two": "tu",
    "eight": "Et", "are": "ar", "have": "hAv", "has": "hAz", "was": "w@z", "is": "Iz", "his": "hIz",
    "what": "w@t", "who": "hu", "some": "s@m", "come": "k@m", "done": "d@n", "none": "n@n", "does": "d@z",
    "said": "sed", "says": "sez", "there": "Der", "their": "Der", "they": "DE", "where": "wer", "were": "wR",
    "your": "jor", "four": "for", "for": "for", "or": "or", "our": "WR", "hour": "WR", "only": "onli",
    "once": "w@ns", "use": "juz", "used": "juzd", "user": "juzR", "users": "juzRz", "data": "dEt@",
    "date": "dEt", "value": "vAlju", "values": "vAljuz", "column": "kal@m", "columns": "kal@mz",
    "axis": "AksIs", "area": "eri@", "year": "jIr", "view": "vju", "new": "nu", "few": "fju", "queue": "kju",
    "unique": "junik", "python": "pYTan", "pie": "pY", "py": "pY", "numpy": "n@mpY", "scipy": "sYpY",
    "sql": "sikw@l", "csv": "siesvi", "json": "JEs@n", "jason": "JEs@n", "url": "juarel", "api": "EpiY",
    "gui": "gui", "regex": "rejeks", "kwargs": "kwargz", "quarks": "kwarks", "args": "argz", "idx": "YdieKs",
    "index": "Indeks", "char": "Car", "chars": "Carz", "async": "EsINk", "await": "@wEt", "cache": "kAS",
    "cash": "kAS", "machine": "m@Sin", "schema": "skim@", "echo": "eko", "epoch": "ep@k", "epochs": "ep@ks",
    "architecture": "arkitekCR", "character": "kArektR", "mechanism": "mek@nizm", "technique": "teknik",
    "tech": "tek", "chrome": "krom", "through": "Tru", "though": "Do", "thought": "Tat", "enough": "In@f",
    "rough": "r@f", "laugh": "lAf", "laughs": "lAfs", "cough": "kaf", "tough": "t@f", "bought": "bat",
    "people": "pip@l", "item": "Yt@m", "items": "Yt@mz", "final": "fYn@l", "style": "stYl",
    "library": "lYbreri",
    "why": "wY", "redo": "ridu", "retry": "ritrY", "apply": "@plY", "deny": "dinY", "group": "grup",
    "begin": "bIgIn", "range": "rEnJ", "color": "k@lR", "error": "erR", "array": "@rE", "binary": "bYneri",
    "engine": "enJIn", "database": "dEt@bEs", "dataset": "dEt@set", "timeout": "tYmWt", "timezone": "tYmzon",
    "baseline": "bEslYn", "something": "s@mTIN", "maybe": "mEbi", "away": "@wE", "hey": "hE", "going": "goIN",
    "forward": "forwRd", "original": "@rIJ@n@l", "similar": "sIm@lR", "useful": "jusf@l",
    "review": "rivju", "half": "hAf", "whose": "huz", "icon": "Ykan", "alias": "Eli@s", "issue": "ISu",
    "linear": "lIniR", "parquet": "parkE", "etc": "etsetR@", "even": "iv@n", "basic": "bEsIk",
    "woman": "wUm@n", "women": "wIm@n", "busy": "bIzi", "business": "bIznes",
    "build": "bIld", "built": "bIlt", "guess": "ges", "guest": "gest", "guide": "gYd", "colonel": "kRn@l",
    "kernel": "kRn@l", "island": "Yl@nd", "answer": "AnsR", "sword": "sord", "wednesday": "wenzdE",
    "heart": "hart", "great": "grEt", "break": "brEk", "steak": "stEk", "dead": "ded", "head": "hed",
    "header": "hedR", "headers": "hedRz", "read": "rid", "already": "alredi", "ready": "redi",
    "weather": "weDR", "health": "helT", "wealth": "welT", "bread": "bred", "thread": "Tred",
    "threads": "Tredz", "spread": "spred", "instead": "insted", "move": "muv", "movie": "muvi",
    "prove": "pruv",
    "love": "l@v", "above": "@b@v", "glove": "gl@v", "remove": "rimuv", "shoe": "Su", "blood": "bl@d",
    "flood": "fl@d", "door": "dor", "floor": "flor", "put": "pUt", "output": "WtpUt", "input": "InpUt",
    "push": "pUS", "pull": "pUl", "full": "fUl", "bull": "bUl", "could": "kUd", "would": "wUd",
    "should": "SUd", "find": "fYnd", "kind": "kYnd", "mind": "mYnd", "behind": "bihYnd", "child": "CYld",
    "wild": "wYld", "mild": "mYld", "climb": "klYm", "sign": "sYn", "design": "dizYn", "assign": "@sYn",
    "align": "@lYn", "high": "hY", "pi": "pY", "phi": "fY", "chi": "kY", "psi": "sY", "xi": "zY",
    "eye": "Y", "buy": "bY", "bye": "bY", "guy": "gY", "height": "hYt", "type": "tYp", "sugar": "SUgR",
    "sure": "SUr", "measure": "meZR", "pressure": "preSR", "feature": "fiCR", "features": "fiCRz",
    "future": "fjuCR", "picture": "pIkCR", "nature": "nECR", "mixture": "mIksCR", "figure": "fIgjR",
    "image": "ImIJ", "images": "ImIJ@z", "message": "mesIJ", "average": "AvrIJ", "page": "pEJ",
    "language": "lANgwIJ", "percentage": "pRsentIJ", "revenue": "revenju", "avenue": "Avenju",
    "volume": "valjum", "usage": "jusIJ", "ounce": "Wns", "iced": "Yst", "mocha": "mok@", "latte": "latE",
    "espresso": "espreso", "americano": "@merIkano", "cappuccino": "kAp@Cino", "soy": "sO", "milk": "mIlk",
    "decaf": "dikAf", "int": "Int", "str": "stR", "dict": "dIkt", "tuple": "tup@l", "init": "InIt",
    "iter": "ItR", "func": "f@Nk", "param": "pArAm", "params": "pArAmz", "config": "k@nfIg",
    "pandas": "pAnd@z", "matplotlib": "mAtplatlIb", "seaborn": "siborn", "sklearn": "esk@lRn",
    "jupyter": "JupItR", "jupiter": "JupItR", "github": "gIth@b", "pytest": "pYtest", "tqdm": "tikjudiem",
    "ing": "IN", "any": "eni", "many": "meni", "every": "evri", "been": "bIn", "gone": "gan", "give": "gIv",
    "live": "lIv", "city": "sIti", "country": "k@ntri", "count": "kWnt", "counts": "kWnts",
    "double": "d@b@l", "trouble": "tr@b@l", "couple": "k@p@l", "young": "j@N", "touch": "t@C",
    "euro": "juro", "euler": "OlR", "suite": "swit", "sweet": "swit", "quiet": "kwY@t", "client": "klY@nt",
    "science": "sY@ns", "diet": "dY@t", "idea": "Ydi@", "real": "ril", "ocean": "oS@n",
    "special": "speS@l", "social": "soS@l", "official": "@fIS@l", "partial": "parS@l", "initial": "InIS@l",
    "ratio": "rESio", "patient": "pES@nt", "patients": "pES@nts", "quotient": "kwoS@nt",
}  # fmt: skip
"""Words whose letters mislead, above all such as stand in commands and in code."""

_LETTERS = {
    "a": "E", "b": "bi", "c": "si", "d": "di", "e": "i", "f": "ef", "g": "Ji", "h": "EC", "i": "Y",
    "j": "JE", "k": "kE", "l": "el", "m": "em", "n": "en", "o": "o", "p": "pi", "q": "kju", "r": "ar",
    "s": "es", "t": "ti", "u": "ju", "v": "vi", "w": "d@b@lju", "x": "eks", "y": "wY", "z": "zi",
}  # fmt: skip
_DIGITS = {
    "0": "zIro", "1": "w@n", "2": "tu", "3": "Tri", "4": "for", "5": "fYv", "6": "sIks", "7": "sev@n",
    "8": "Et", "9": "nYn",
}  # fmt: skip
_TEENS = {
    "10": "ten", "11": "Ilev@n", "12": "twelv", "13": "TRtin", "14": "fortin", "15": "fIftin",
    "16": "sIkstin", "17": "sev@ntin", "18": "Etin", "19": "nYntin",
}  # fmt: skip
_TENS = {
    "2": "twenti", "3": "TRti", "4": "forti", "5": "fIfti", "6": "sIksti", "7": "sev@nti", "8": "Eti",
    "9": "nYnti",
}  # fmt: skip

_SHORT = {
    "num": "number", "cfg": "config", "conf": "config", "idx": "index", "ind": "index", "img": "image",
    "imgs": "images", "msg": "message", "val": "value", "vals": "values", "avg": "average", "std": "standard",
    "min": "minimum", "max": "maximum", "tmp": "temp", "src": "source", "dst": "destination",
    "dest": "destination", "col": "column", "cols": "columns", "func": "function", "fn": "function",
    "fig": "figure", "dir": "directory", "ctx": "context", "env": "environment", "attr": "attribute",
    "attrs": "attributes", "param": "parameter", "params": "parameters", "arg": "argument",
    "args": "arguments", "str": "string", "int": "integer", "dict": "dictionary", "arr": "array",
    "len": "length", "pred": "predicted", "preds": "predictions", "acc": "accuracy", "lr": "learning rate",
    "nb": "notebook", "obj": "object", "pos": "position", "prev": "previous", "cur": "current",
    "curr": "current", "freq": "frequency", "qty": "quantity", "amt": "amount", "pct": "percent",
    "yr": "year", "id": "i d", "ids": "i d s", "np": "numpy", "pd": "pandas", "plt": "plot", "sns": "seaborn",
    "corr": "correlation", "coef": "coefficient", "coeff": "coefficient", "calc": "calculate",
    "vec": "vector",
    "mat": "matrix", "eval": "evaluate", "ref": "reference", "dev": "development", "prod": "production",
    "seq": "sequence", "spec": "specification", "stats": "statistics", "temp": "temperature",
    "ts": "timestamp",
    "dt": "date", "usr": "user", "pwd": "password", "desc": "description", "init": "initial",
    "dim": "dimension", "dims": "dimensions", "diff": "difference", "err": "error", "exc": "exception",
    "ext": "extension", "gen": "generator", "hist": "histogram", "info": "information", "iter": "iterator",
    "lib": "library", "loc": "location", "mod": "module", "pkg": "package", "proc": "process",
    "rand": "random", "rng": "random generator", "req": "request", "res": "result", "resp": "response",
    "ret": "return", "sep": "separator", "sz": "size", "util": "utility", "utils": "utilities",
    "var": "variable", "vars": "variables", "ver": "version", "df": "data frame", "clf": "classifier",
    "reg": "regression", "est": "estimator", "cv": "cross validation", "opt": "option", "opts": "options",
}  # fmt: skip
"""What people say for the short words of code, besides the letters."""

_SPELLED = frozenset(("csv", "sql", "api", "url", "gui", "xml", "yml", "svm", "pca"))
"""Words with a vowel that are spelled all the same."""

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z']+|[A-Z]+|\d+")

_RULES: tuple[tuple[str, str], ...] = (
    # beginnings and silent letters
    (r"(?<![a-z])(kn|gn|pn)", "n"), (r"(?<![a-z])wr", "r"), (r"(?<![a-z])wh(?=o)", "h"),
    (r"(?<![a-z])ps", "s"), (r"(?<![a-z])x", "z"), (r"wh", "w"), (r"mb(?![a-z])", "m"),
    (r"bt(?![a-z])", "t"), (r"mn(?![a-z])", "m"), (r"stle(?![a-z])", "s@l"), (r"sten(?![a-z])", "s@n"),
    # endings
    (r"ation", "ES@n"), (r"ator(?![a-z]{2})", "EtR"), (r"(?<=[a-z][ct])or(?=s?(?![a-z]))", "R"),
    (r"ward", "wRd"), (r"ory(?![a-z])", "ori"), (r"fy(?![a-z])", "fY"), (r"ative", "Etiv"),
    (r"tion", "S@n"), (r"(?<=[aeiou])sion", "Z@n"), (r"ssion|sion", "S@n"), (r"cious|tious", "S@s"),
    (r"cial|tial", "S@l"), (r"ture(?![a-z]{3})", "CR"), (r"sure(?![a-z]{2})", "ZR"),
    (r"ous(?![a-z])", "@s"),
    (r"(?<=[a-z])age(?=s?(?![a-z]))", "IJ"), (r"ical", "Ik@l"), (r"ology", "al@Ji"),
    (r"(?<=[^aeiouy])les(?![a-z])", "@lz"), (r"(?<=[^aeiouyl])le(?![a-z])", "@l"),
    (r"(?<=[^aeiouy])led(?![a-z])", "@ld"), (r"(?<=[td])ed(?![a-z])", "@d"),
    (r"(?<=[pkfshxc])ed(?![a-z])", "t"), (r"(?<=[a-z]{2})ed(?![a-z])", "d"),
    (r"(?<=s)es(?![a-z])|(?<=[xz])es(?![a-z])|(?<=ch)es(?![a-z])|(?<=sh)es(?![a-z])", "@z"),
    (r"(?<=[cg])es(?![a-z])", "@z"), (r"(?<=[a-z][^aeious])es(?![a-z])", "z"),
    (r"(?<=[aeiou][^aeiouwxy])e(?![a-z])", ""), (r"(?<=[a-z][^aeiouy])e(?![a-z])", ""),
    (r"(?<=[aeiou])e(?![a-z])", ""), (r"(?<=[ptkf])s(?![a-z])", "s"),
    (r"(?<=[a-z][bdglmnrvwy])s(?![a-z])", "z"),
    (r"(?<=[a-rt-z])ies(?![a-z])", "iz"), (r"ied(?![a-z])", "id"), (r"ing(?=s?(?![a-z]))", "IN"),
    # consonants
    (r"tch", "C"), (r"sch(?=[aeo])", "sk"), (r"sch", "S"), (r"chr", "kr"), (r"ch", "C"), (r"sh", "S"),
    (r"ph", "f"), (r"th(?=(e|er|ers|is|at|ese|em|en)(?![a-z]))", "D"), (r"th", "T"), (r"dge|dg", "J"),
    (r"ck", "k"), (r"qu", "kw"), (r"q", "k"), (r"ng(?![a-z])", "N"), (r"n(?=[kg])", "N"), (r"nx", "Nks"),
    (r"x", "ks"), (r"sc(?=[eiy])", "s"), (r"cc(?=[eiy])", "ks"), (r"cc", "k"), (r"c(?=[eiy])", "s"),
    (r"c", "k"), (r"gg", "g"), (r"gh(?=[aeiou])", "g"), (r"gh", ""), (r"gu(?=[ei])", "g"),
    (r"(?<![a-z])g(?=[ei]t|if|i[vr])", "g"), (r"g(?=[eiy])", "J"), (r"g", "g"), (r"j", "J"),
    (r"ss", "s"), (r"(?<=[aeiou])s(?=[aeiou])", "z"), (r"s", "s"), (r"zz|z", "z"),
    (r"bb|b", "b"), (r"dd|d", "d"), (r"ff|f", "f"), (r"h(?=[aeiouy])", "h"), (r"h", ""), (r"kk|k", "k"),
    (r"lk(?![a-z])", "k"), (r"ll|l", "l"), (r"mm|m", "m"), (r"nn|n", "n"), (r"pp|p", "p"), (r"tt|t", "t"),
    (r"vv|v", "v"), (r"y(?=[aeiou])", "j"),
    # vowels before r
    (r"air|are(?=s?(?![a-z]))|eir", "er"), (r"ear(?=[ntlc])", "R"), (r"ear|eer|ere(?![a-z])|ier", "Ir"),
    (r"ire", "YR"), (r"our(?=s?(?![a-z]))", "or"), (r"our", "or"), (r"oor|ore|oar", "or"),
    (r"ure", "jUr"), (r"(?<=w)or", "R"), (r"(?<=w)ar", "or"), (r"arr(?=[aeiouy])", "er"), (r"ar", "ar"),
    (r"orr|or", "or"), (r"err(?=[aeiouy])", "er"), (r"er(?=[aeiouy])", "er"), (r"(er|ir|ur|yr)r?", "R"),
    (r"rr|r", "r"),
    # vowels
    (r"augh|ough(?=t)", "a"), (r"ough", "o"), (r"igh", "Y"), (r"eigh", "E"), (r"ai|ay", "E"),
    (r"au|aw", "a"),
    (r"eau", "o"), (r"ee|ea", "i"), (r"ei|ey(?![a-z])", "i"), (r"eu|ew", "u"), (r"ey", "E"),
    (r"ie(?=[a-z]{2})|ie", "i"), (r"oa", "o"), (r"oi|oy", "O"), (r"oo(?=[kd])", "U"), (r"oo", "u"),
    (r"ou", "W"), (r"ow(?=[nslr])", "W"), (r"ow(?![a-z])", "o"), (r"ow", "W"), (r"oe", "o"), (r"w", "w"),
    (r"ui(?=[a-z])|ue", "u"), (r"uy", "Y"),
    (r"a(?=[bcdfgjklmnpstvz](e|es|ed|ing|er|ers|able)(?![a-z]))", "E"), (r"a(?=st[ei])", "E"),
    (r"a(?=ll|lk|lt|ld)", "a"), (r"(?<![a-z])a(?=[^aeiou][^aeiou]?[aeiou][a-z]{3})", "@"),
    (r"a(?![a-z])", "@"), (r"(?<=w)a(?=[tns])", "a"), (r"a", "A"),
    (r"e(?=[bcdfgklmnpstvz](e|es|ed|ing)(?![a-z]))", "i"), (r"(?<![a-z][a-z])e(?![a-z])", "i"),
    (r"(?<=[a-z]{2})e(?=[lnr](?![a-z]))", "@"), (r"e", "e"),
    (r"i(?=[bcdfgklmnpstvz](e|es|ed|ing|er|ers)(?![a-z]))", "Y"), (r"i(?=nd(?![a-z])|ld(?![a-z]))", "Y"),
    (r"i(?=ght|gn)", "Y"), (r"(?<![a-z])bi(?=[^n])", "bY"), (r"i(?![a-z])", "i"), (r"i(?=[ao])", "i"),
    (r"i", "I"),
    (r"o(?=[bcdfgklmnpstvz](e|es|ed|ing|er|ers)(?![a-z]))", "o"), (r"o(?=ld|st(?![a-z])|ll)", "o"),
    (r"o(?![a-z])", "o"), (r"(?<=[a-z]{2})o(?=n(?![a-z]))", "@"), (r"o(?=[mn]e)", "o"), (r"o", "a"),
    (r"u(?=[bcdfgklmnpstvz](e|es|ed|ing|er|ers)(?![a-z]))", "u"), (r"(?<![a-z])u(?=ni)", "ju"),
    (r"u(?![a-z])", "u"), (r"u", "@"),
    (r"(?<=[a-z])y(?![a-z])", "i"), (r"(?<![a-z]{2})y", "Y"), (r"y", "I"),
)  # fmt: skip
"""Letters to sound; at each place the first rule that fits is taken."""


@lru_cache(maxsize=1)
def _rules() -> dict[str, tuple[tuple[re.Pattern[str], str], ...]]:
    """Return the rules by the letter they begin with, compiled at the first use, not at import."""
    rules: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for pattern, sound in _RULES:
        compiled = re.compile(pattern)
        letters = re.sub(r"\(\?<?[=!](?:[^()]|\([^()]*\))*\)", "", pattern)
        for letter in dict.fromkeys(re.findall(r"(?:^|\||\()([a-z])", letters)):
            rules.setdefault(letter, []).append((compiled, sound))
    return {letter: tuple(found) for letter, found in rules.items()}


@lru_cache(maxsize=8192)
def word(text: str) -> str:
    """Return how one English word sounds, e.g. `kernel` and `colonel` are `kRn@l`."""
    text = text.lower().replace("'", "")
    known = _WORDS.get(text)
    if known is not None:
        return known
    if len(text) > 3 and text.endswith("s") and text[:-1] in _WORDS:
        stem = _WORDS[text[:-1]]
        return stem + ("s" if stem[-1] in "ptkfT" else "z")
    if text.isdigit():
        return _number(text)
    if len(text) == 1:
        return _LETTERS.get(text, "")
    if text.isalpha() and text.isascii() and not set(text) & set("aeiouy"):
        return spelled(text)
    rules = _rules()
    out = ""
    at = 0
    while at < len(text):
        for pattern, sound in rules.get(text[at], ()):
            found = pattern.match(text, at)
            if found and found.end() > at:
                out += sound
                at = found.end()
                break
        else:
            at += 1
    return re.sub(r"(.)\1+", r"\1", out)


def spelled(text: str) -> str:
    """Return how a text sounds letter by letter."""
    return "".join(_LETTERS.get(letter) or _DIGITS.get(letter, "") for letter in text.lower())


def text(said: str) -> str:
    """Return how some words sound, as they stand."""
    return "".join(word(part) for part in _PARTS.findall(said))


@lru_cache(maxsize=8192)
def forms(name: str) -> tuple[str, ...]:
    """Return how a name of code may be said, the likeliest first, at most `MAX_FORMS`.

    Its parts are said one after the other: as words, as letters where no word can be made of them, or as
    what they are short for. The marks between them are not said.
    """
    choices: list[tuple[str, ...]] = []
    for part in _PARTS.findall(name):
        low = part.lower()
        found = [word(low) if len(low) > 1 else spelled(low)]
        if low in _SPELLED or (2 <= len(low) <= 3 and low not in _WORDS):
            found.append(spelled(low))
        if low in _SHORT:
            found.append("".join(word(each) for each in _SHORT[low].split()))
        choices.append(tuple(dict.fromkeys(sound for sound in found if sound)))
    if not choices or len(choices) > 12:
        return (text(name),)
    made = ("".join(parts) for parts in product(*choices))
    return tuple(dict.fromkeys(each for each, _ in zip(made, range(MAX_FORMS * 2), strict=False)))[:MAX_FORMS]


def written(name: str) -> tuple[str, ...]:
    """Return how a recogniser would write a name that is said: parts as words, initials as capitals.

    `df` is "DF" or "data frame", `test_parser.py` is "test parser.py".
    """
    plain: list[str] = []
    long: list[str] = []
    for part in re.findall(_PARTS.pattern + r"|\.", name):
        low = part.lower()
        initials = part.isalpha() and (len(part) == 1 or not set(low) & set("aeiouy"))
        plain.append(part.upper() if initials else part if part.istitle() else low)
        long.append(_SHORT.get(low, plain[-1]))
    texts = (" ".join(parts).replace(" . ", ".") for parts in (plain, long))
    return tuple(dict.fromkeys(texts))


def _number(digits: str) -> str:
    if len(digits) == 1:
        return _DIGITS[digits]
    if len(digits) == 2:
        if digits in _TEENS:
            return _TEENS[digits]
        if digits[0] in _TENS:
            return _TENS[digits[0]] + (_DIGITS[digits[1]] if digits[1] != "0" else "")
    if len(digits) == 3 and digits[0] != "0":
        rest = digits[1:].lstrip("0")
        return _DIGITS[digits[0]] + "h@ndrEd" + (_number(rest) if rest else "")
    if len(digits) == 4 and digits[1:] != "000" and digits[:2] in _TEENS:
        return _TEENS[digits[:2]] + _number(digits[2:])
    return "".join(_DIGITS[digit] for digit in digits)


# ---- distance -------------------------------------------------------------------------------------

_ALIKE: tuple[tuple[str, float], ...] = (
    # only the voice differs
    ("pb td kg fv sz SZ CJ TD", 0.25),
    # close in the mouth
    ("sS zZ SC ZJ Tf Dv TS Ts Dd Dz mn nN mN Tt tC dJ", 0.4),
    ("bv vw lw rw lr pf jJ hk ht fs kt pt pk bd", 0.6),
    # vowels
    ("iI IE eI eA eE @I @U @a @A @e uU aA ao aW oU oW YE YO @R oO", 0.25),
    ("ie iE iY Ya YA eR UR oR aR uo IU Iu WA Wo @o @i @u eY EY", 0.4),
    ("ij IJ uw Uw ow Rr lo lu @r ar ER", 0.5),
)  # fmt: skip
_VOWEL_CHANGED = 0.55
_CHANGED = 1.0
_LOST = {"h": 0.35, "@": 0.3, "I": 0.4, "d": 0.55, "t": 0.55, "r": 0.45, "j": 0.4, "w": 0.5, "n": 0.6,
    "l": 0.6, "s": 0.6, "z": 0.6}  # fmt: skip
_LOST_VOWEL, _LOST_CONSONANT = 0.6, 0.8


def _prices() -> dict[tuple[str, str], float]:
    prices: dict[tuple[str, str], float] = {}
    for pairs, price in _ALIKE:
        for pair in pairs.split():
            prices.setdefault((pair[0], pair[1]), price)
            prices.setdefault((pair[1], pair[0]), price)
    for one in VOWELS:
        for other in VOWELS:
            if one != other:
                prices.setdefault((one, other), _VOWEL_CHANGED)
    return prices


_CHANGE = _prices()


def lost(phoneme: str) -> float:
    """Return what it costs that a phoneme is not heard, or heard where there is none."""
    price = _LOST.get(phoneme)
    if price is not None:
        return price
    return _LOST_VOWEL if phoneme in VOWELS else _LOST_CONSONANT


def changed(one: str, other: str) -> float:
    """Return what it costs to hear one phoneme for another, 0 to 1."""
    return 0.0 if one == other else _CHANGE.get((one, other), _CHANGED)


@lru_cache(maxsize=32768)
def distance(said: str, meant: str) -> float:
    """Return what it costs to hear one string of phonemes for another: 0 when they are the same."""
    row = [0.0]
    for phoneme in meant:
        row.append(row[-1] + lost(phoneme))
    for heard in said:
        gone = lost(heard)
        before, row = row, [row[0] + gone]
        for at, phoneme in enumerate(meant):
            row.append(
                min(before[at] + changed(heard, phoneme), before[at + 1] + gone, row[at] + lost(phoneme))
            )
    return row[-1]


def unlikeness(said: str, meant: str) -> float:
    """Return the distance in proportion to the length: 0 the same, 0.2 near, 0.5 nothing in common."""
    longest = max(len(said), len(meant))
    return distance(said, meant) / longest if longest else 0.0


class Names:
    """Names of code as they sound, to be searched many times.

    Args:
        names: the names; the likelier of two that sound the same comes first.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._owners: list[str] = []
        self._sounds: list[str] = []
        for name in dict.fromkeys(names):
            for form in filter(None, forms(name)):
                self._owners.append(name)
                self._sounds.append(form)
        self._coarse = [_classes(form) for form in self._sounds]

    def near(self, said: str, *, limit: int = 3) -> list[tuple[float, str]]:
        """Return the names that sound most like some phonemes, with their `unlikeness`, nearest first.

        Thousands of names are compared in a few milliseconds: the classes of their sounds first.

        Args:
            said: phonemes, from `text`.
            limit: how many are returned.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import Levenshtein

        likely = process.extract(
            _classes(said),
            self._coarse,
            scorer=Levenshtein.normalized_distance,
            limit=limit + 12,
            score_cutoff=0.7,
        )
        best: dict[str, float] = {}
        for _, _, index in likely:
            score = unlikeness(said, self._sounds[index])
            name = self._owners[index]
            if score < best.get(name, 1e9):
                best[name] = score
        found = [(score, number, name) for number, (name, score) in enumerate(best.items())]
        return [(score, name) for score, _, name in sorted(found)[:limit]]


@lru_cache(maxsize=16)
def _searchable(names: tuple[str, ...]) -> Names:
    return Names(names)


def ranked(said: str, names: Iterable[str], *, limit: int = 3) -> list[tuple[float, str]]:
    """Return the names that sound most like some phonemes; see `Names.near`."""
    return _searchable(tuple(names)).near(said, limit=limit)


_CLASSES = str.maketrans("bdgvzZJDSCTNIeA@UuEYWOoR", "ptkfssssssfniiaaaaiaaaar")


@lru_cache(maxsize=8192)
def _classes(sounds: str) -> str:
    return re.sub(r"(.)\1+", r"\1", sounds.translate(_CLASSES))
