"""What an error means in plain words, and what to do about the common ones. No model, and nothing is run.

Pure: an error, the code that raised it and the names that exist, in; a sentence, a suggestion and, where
one is sure enough, changed code or a command that installs something, out.
"""

from __future__ import annotations

import ast
import builtins
import pkgutil
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from voice_kernel.context import Context
from voice_kernel.language import ENGLISH, N_, _, capital, used
from voice_kernel.messages import Output, Problem
from voice_kernel.tools import suggestion
from voice_kernel.tools.terminal import plain

SURE = 0.72
"""Least likeness, from 0 to 1, of a name that is put in the place of another."""

_PLAIN_IMPORTS = """
    os sys re json math random time csv itertools functools collections pathlib glob shutil subprocess
    statistics string io logging warnings pickle copy numpy pandas matplotlib scipy sklearn torch
"""
IMPORTS = {
    "np": "import numpy as np", "pd": "import pandas as pd", "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns", "pl": "import polars as pl", "px": "import plotly.express as px",
    "Path": "from pathlib import Path", "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta", "date": "from datetime import date",
    "defaultdict": "from collections import defaultdict", "Counter": "from collections import Counter",
    "dataclass": "from dataclasses import dataclass", "partial": "from functools import partial",
    "Any": "from typing import Any", "tqdm": "from tqdm.auto import tqdm",
    **{name: f"import {name}" for name in _PLAIN_IMPORTS.split()},
}  # fmt: skip
"""What a name that everybody imports in the same way comes from."""

PACKAGES = {
    "sklearn": "scikit-learn", "cv2": "opencv-python-headless", "PIL": "pillow", "yaml": "pyyaml",
    "bs4": "beautifulsoup4", "skimage": "scikit-image", "dotenv": "python-dotenv", "git": "gitpython",
    "dateutil": "python-dateutil", "Crypto": "pycryptodome", "serial": "pyserial", "fitz": "pymupdf",
    "docx": "python-docx", "pptx": "python-pptx", "jwt": "pyjwt", "umap": "umap-learn",
    "google.protobuf": "protobuf", "mpl_toolkits": "matplotlib", "pylab": "matplotlib", "attr": "attrs",
    "OpenSSL": "pyopenssl",
}  # fmt: skip
"""Modules whose package has another name. Source: the packages' own pages on PyPI."""

MEANINGS = {
    "IndexError": N_(
        "A position was asked for that is past the end: the list or array is shorter than that."
    ),
    "ZeroDivisionError": N_("Something was divided by zero."),
    "RecursionError": N_("A function calls itself without an end."),
    "MemoryError": N_("There is not enough memory for this."),
    "AssertionError": N_("A check with assert did not hold."),
    "PermissionError": N_("The file or folder may not be read or written."),
    "FileExistsError": N_("The file or folder is there already."),
    "IsADirectoryError": N_("A folder was named where a file is needed."),
    "NotADirectoryError": N_("A file was named where a folder is needed."),
    "UnicodeDecodeError": N_("The text is in another encoding than the one it was read with."),
    "JSONDecodeError": N_("The text is no valid JSON."),
    "TimeoutError": N_("Something took too long to answer."),
    "ConnectionError": N_("The other side could not be reached."),
    "ConnectionRefusedError": N_("Nothing listens at that address."),
    "StopIteration": N_("An iterator has no more values."),
    "NotImplementedError": N_("This was left for somebody to write."),
    "OverflowError": N_("A number is too large."),
    "KeyboardInterrupt": N_("The code was interrupted."),
    "UnboundLocalError": N_("A variable of the function is used before it gets a value there."),
    "EOFError": N_("Input was asked for, and there was none."),
    "ParserError": N_("The file does not have the same number of columns in every row."),
    "EmptyDataError": N_("The file is empty."),
    "LinAlgError": N_("The matrix does not allow this, for example because it cannot be inverted."),
}
"""Errors that say too little for those who do not know them."""

ADVICE = {
    "IndexError": N_("Check the length; positions count from 0, so that the last one is one less."),
    "ZeroDivisionError": N_("Check the divisor first, or leave the rows with zero out."),
    "RecursionError": N_("Give the function a case in which it does not call itself."),
    "UnicodeDecodeError": N_('Try encoding="latin-1" where the file is read.'),
    "UnboundLocalError": N_("Give it a value in the function, or declare it global."),
}


@dataclass(frozen=True)
class Known:
    """The names that exist."""

    context: Context
    attributes: Callable[[str], Sequence[str]]
    """Names on a variable, or on what `module.name` is, found without running user code."""
    others: tuple[tuple[str, str], ...] = ()
    """(what a person calls it, source) of the other cells."""


@dataclass(frozen=True)
class Diagnosis:
    """What is known about an error."""

    meaning: str
    """What happened, in one sentence."""
    suggestion: str = ""
    """What to do."""
    source: str = ""
    """The code with the suggestion carried out; empty where that is not sure enough."""
    fixed: str = ""
    """What was changed in it, in words."""
    package: str = ""
    """A package that is missing."""


@dataclass(frozen=True)
class Failure:
    """An error and where it was raised."""

    kind: str
    message: str
    source: str
    """The code of the cell."""
    line: int | None = None
    """In that code, from 1."""
    lines: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(self.source.split("\n")))

    @property
    def code(self) -> str:
        """The line that raised; all of the code when it is not known."""
        return self.lines[self.line - 1] if self.line and self.line <= len(self.lines) else self.source


def places_in(outputs: Sequence[Output]) -> list[tuple[int, int]]:
    """Return where in cells a traceback passed, the innermost first: (execution number, line).

    Source: IPython's tracebacks say `Cell In[3], line 2`, also for a syntax error.
    """
    text = "\n".join(plain(output.text) for output in outputs if output.kind == "error")
    found = re.findall(r"Cell In\s?\[(\d+)\], line (\d+)", text)
    return [(int(number), int(line)) for number, line in reversed(found)]


def syntax_line(error: Problem) -> int | None:
    """Return the line that the message of a syntax error names."""
    match = re.search(r"line (\d+)\)$", error.message)
    return int(match[1]) if match else None


def diagnose(failure: Failure, known: Known) -> Diagnosis:
    """Return what an error means and what to do about it."""
    handler = _HANDLERS.get(failure.kind)
    if handler is None and failure.kind.endswith("SyntaxError"):
        handler = _syntax
    found = handler(failure, known) if handler is not None else None
    if found is not None:
        return found
    meaning = _(MEANINGS.get(failure.kind, "")) or _sentence(failure.message)
    return Diagnosis(
        meaning or _("It raised {kind}.").format(kind=failure.kind), _(ADVICE.get(failure.kind, ""))
    )


# ---- names ------------------------------------------------------------------------------------------


def _name(failure: Failure, known: Known) -> Diagnosis | None:
    match = re.search(r"name '(\w+)' is not defined", failure.message)
    if match is None:
        return None
    name = match[1]
    meaning = _("There is no variable {name}.").format(name=name)
    here = [variable.name for variable in known.context.variables]
    near = _near(name, [*here, *_assigned(failure.source, name)]) or _near(name, dir(builtins))
    statement = IMPORTS.get(name)
    if statement is not None:
        source = _with_import(failure.source, statement)
        return Diagnosis(
            _("{name} was not imported.").format(name=name),
            _("Add {statement}.").format(statement=statement),
            source,
            _("Added {statement}").format(statement=statement),
        )
    where = next((cell for cell, source in known.others if name in _defined(source)), "")
    if where:
        return Diagnosis(meaning, _("It gets its value in {where}: run that first.").format(where=where))
    if near:
        return _rename(failure, meaning, name, near)
    return Diagnosis(meaning, _("Define it first, or run the cell that does."))


def _module(failure: Failure, known: Known) -> Diagnosis | None:
    match = re.search(r"No module named '([\w.]+)'", failure.message)
    if match is None:
        return None
    name = match[1]
    top = name.partition(".")[0]
    meaning = _("The module {name} is not installed.").format(name=name)
    if top != name and top in _installed():
        return Diagnosis(
            _("{top} has no part {name}.").format(top=top, name=name.partition(".")[2]),
            _("Look up its name in the documentation."),
        )
    if top not in PACKAGES and top not in IMPORTS.values():
        near = _near(top, _installed(), sure=0.75)
        if near:
            return _rename(failure, _("There is no module {top}.").format(top=top), top, near)
    package = PACKAGES.get(name) or PACKAGES.get(top, top.replace("_", "-"))
    return Diagnosis(meaning, _("Install the package {package}.").format(package=package), package=package)


def _import(failure: Failure, known: Known) -> Diagnosis | None:
    match = re.search(r"cannot import name '(\w+)' from '([\w.]+)'", failure.message)
    if match is None:
        return None
    name, module = match[1], match[2]
    meaning = _("{module} has no {name}.").format(module=module, name=name)
    near = _near(name, known.attributes(module))
    return _rename(failure, meaning, name, near) if near else Diagnosis(meaning)


def _key(failure: Failure, known: Known) -> Diagnosis | None:
    quoted = re.findall(r"'([^']+)'", failure.message) or re.findall(r'"([^"]+)"', failure.message)
    literals = set(_literals(failure.source))
    wanted = next((name for name in quoted if name in literals), quoted[0] if quoted else "")
    if not wanted:
        return Diagnosis(
            _("There is no key {message}.").format(message=failure.message), _("Look at the keys there are.")
        )
    columns = known.context.columns
    near = _near(wanted, columns) or _near(wanted, literals - {wanted})
    table = any(variable.columns for variable in known.context.variables)
    meaning = _("There is no column or key {name}.") if table else _("There is no key {name}.")
    meaning = meaning.format(name=wanted)
    if near and wanted in literals:
        source = _with_literal(failure.source, wanted, near)
        return Diagnosis(
            meaning,
            _("Did you mean {near}?").format(near=near),
            source,
            _("Changed {wanted} to {near}").format(wanted=wanted, near=near),
        )
    hint = _("Look at the keys there are.")
    if columns:
        hint = _("There are: {names}.").format(names=", ".join(columns[:8]))
    return Diagnosis(meaning, _("Did you mean {near}?").format(near=near) if near else hint)


def _attribute(failure: Failure, known: Known) -> Diagnosis | None:
    match = re.search(
        r"(?:'([\w.]+)' object|module '([\w.]+)'|type object '(\w+)').* has no attribute '(\w+)'",
        failure.message,
    )
    if match is None:
        return None
    kind, module, klass, name = match.groups()
    if kind == "NoneType":
        base = re.search(rf"(\w+)\s*\.\s*{name}\b", failure.code)
        what = base[1] if base else _("The value before the dot")
        return Diagnosis(
            _("{what} is None, and None has no {name}.").format(what=what, name=name),
            _("Look at what should have given it a value."),
        )
    what = module or klass or kind
    meaning = _("A {what} has no {name}.") if kind else _("{what} has no {name}.")
    meaning = meaning.format(what=what, name=name)
    candidates: list[str] = []
    for base in re.findall(rf"(\w+(?:\.\w+)*)\s*\.\s*{name}\b", failure.code):
        candidates += known.attributes(base)
    candidates += known.attributes(module or f"builtins.{what}")
    for package in ("pandas", "numpy", "polars"):
        candidates += known.attributes(f"{package}.{what}")
    if kind == "DataFrame":
        candidates += known.context.columns
    near = _near(name, [other for other in candidates if not other.startswith("_")])
    if near:
        return _rename(failure, meaning, name, near, attribute=True)
    return Diagnosis(meaning, _("Look up its name in the documentation."))


def _file(failure: Failure, known: Known) -> Diagnosis | None:
    match = re.search(r"directory: '([^']+)'", failure.message)
    if match is None:
        return None
    path = match[1]
    meaning = _("There is no file {path}.").format(path=path)
    files = [file for file in known.context.files if not file.endswith("/")]
    name = path.rsplit("/", 1)[-1]
    same_name = [file for file in files if file.rsplit("/", 1)[-1] == name]
    near = same_name[0] if len(same_name) == 1 else _near(path, files)
    if near and path in _literals(failure.source):
        source = _with_literal(failure.source, path, near)
        return Diagnosis(
            meaning,
            _("Did you mean {near}?").format(near=near),
            source,
            _("Changed {path} to {near}").format(path=path, near=near),
        )
    return Diagnosis(
        meaning,
        _("Did you mean {near}?").format(near=near) if near else _('Say "list files" to hear what there is.'),
    )


def _type(failure: Failure, known: Known) -> Diagnosis | None:
    message = failure.message
    match = re.search(r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'", message)
    if match is not None:
        return Diagnosis(
            _("{match} does not work between {a} and {other}.").format(
                match=match[1], a=_a(match[2]), other=_a(match[3])
            ),
            _("Convert one of them first, for example with str or int."),
        )
    match = re.search(r"can only concatenate str \(not \"(\w+)\"\) to str", message)
    if match is not None:
        return Diagnosis(
            _("{what} was added to a text.").format(what=capital(_a(match[1]))),
            _("Put str around it, or use an f-string."),
        )
    match = re.search(r"'([\w.]+)' object is not (callable|subscriptable|iterable)", message)
    if match is not None:
        cannot = {
            "callable": _("{what} cannot be called."),
            "subscriptable": _("{what} cannot be asked for an item."),
            "iterable": _("{what} cannot be looped over."),
        }
        hint = _("Perhaps a name of a function was given to a variable.") if match[2] == "callable" else ""
        return Diagnosis(cannot[match[2]].format(what=capital(_a(match[1]))), hint)
    match = re.search(r"missing \d+ required positional arguments?: (.+)", message)
    if match is not None:
        return Diagnosis(_("The call lacks the argument {match}.").format(match=match[1]), _("Give it one."))
    match = re.search(r"unexpected keyword argument '(\w+)'", message)
    if match is not None:
        return Diagnosis(
            _("The call has no argument {match}.").format(match=match[1]), _("Look up what it takes.")
        )
    match = re.search(r"takes (?:from \d+ to )?(\d+) positional arguments? but (\d+)", message)
    if match is not None:
        return Diagnosis(
            _("The call takes {match} arguments and was given {given}.").format(
                match=match[1], given=match[2]
            )
        )
    return None


def _value(failure: Failure, known: Known) -> Diagnosis | None:
    message = failure.message
    match = re.search(
        r"(?:could not convert string to float|invalid literal for int\(\)[^:]*): (.+)", message
    )
    if match is not None:
        return Diagnosis(
            _("{match} is no number.").format(match=match[1]), _("Clean it first, or leave it out.")
        )
    if re.search(r"(?:too many|not enough) values to unpack", message):
        return Diagnosis(
            _("There is another number of values than of names to put them in."), _("Count both sides.")
        )
    if "must be the same length" in message or "could not be broadcast" in message or "shapes" in message:
        return Diagnosis(
            _("The sizes do not fit: {sentence}").format(sentence=_sentence(message)),
            _("Compare their shapes."),
        )
    return None


# ---- syntax -----------------------------------------------------------------------------------------


def _syntax(failure: Failure, known: Known) -> Diagnosis | None:
    # IPython says only "incomplete input" of a bracket that is open; the parser itself says which.
    parsed = _syntax_error(failure.lines)
    said = parsed.msg if parsed else re.sub(r" \((?:[^()]*, )?line \d+\)$", "", failure.message)
    at = parsed.lineno if parsed and parsed.lineno else failure.line
    where = (
        _("Line {at} is no Python: {said}.").format(at=at, said=said)
        if at
        else _("This is no Python: {said}.").format(said=said)
    )
    if not at or at > len(failure.lines):
        return Diagnosis(where)
    line = failure.lines[at - 1]
    for candidate, words in _mended(said, line, failure.lines[at - 2] if at > 1 else ""):
        lines = [*failure.lines[: at - 1], candidate, *failure.lines[at:]]
        if _better(lines, at):
            return Diagnosis(
                where, f"{words}.", "\n".join(lines), _("{words} in line {line}").format(words=words, line=at)
            )
    hints = {
        "never closed": _("Close the bracket."), "unterminated": _("Close the quotes."),
        "unmatched": _("Take the bracket away."),
        "forgot a comma": _("Put a comma between the values."),
        "indent": _("Look at the spaces before the line."),
        "cannot assign": _("The left side of = must be a name; to compare, write ==."),
    }  # fmt: skip
    return Diagnosis(
        where, next((hint for part, hint in hints.items() if part in said), _("Look at that line."))
    )


def _mended(said: str, line: str, above: str) -> list[tuple[str, str]]:
    """Return what may mend a line, the likeliest first, and what that is in words."""
    stripped, comment = _without_comment(line)
    indent = line[: len(line) - len(line.lstrip())]
    if "expected ':'" in said:
        return [(stripped + ":" + comment, _("Add a colon"))]
    match = re.search(r"'([(\[{])' was never closed", said)
    if match is not None:
        closing = {"(": ")", "[": "]", "{": "}"}[match[1]]
        return [
            (stripped + closing + comment, _("Close the bracket with {closing}").format(closing=closing)),
            (
                stripped.removesuffix(":") + closing + ":" + comment,
                _("Close the bracket with {closing}").format(closing=closing),
            ),
        ]
    if "unterminated string literal" in said or "unterminated f-string literal" in said:
        quote = '"' if line.count('"') % 2 else "'"
        tail = re.search(r"[)\]},:\s]*$", line)
        cut = tail.start() if tail else len(line)
        return [
            (line[:cut] + quote + line[cut:], _("Close the quotes")),
            (line.rstrip() + quote, _("Close the quotes")),
        ]
    if "Maybe you meant '=='" in said:
        return [(re.sub(r"(?<![=!<>:])=(?!=)", "==", line, count=1), _("Compare with two equals signs"))]
    match = re.search(r"Missing parentheses in call to '(\w+)'", said)
    if match is not None:
        rest = stripped.lstrip()[len(match[1]) :].strip()
        return [
            (
                f"{indent}{match[1]}({rest}){comment}",
                _("Put parentheses after {match}").format(match=match[1]),
            )
        ]
    if "expected an indented block" in said:
        margin = above[: len(above) - len(above.lstrip())] + "    "
        return [(margin + line.lstrip(), _("Indent the line"))]
    if "unexpected indent" in said:
        margin = above[: len(above) - len(above.lstrip())]
        return [(margin + line.lstrip(), _("Take the indentation back"))]
    if "Did you mean print" in said:
        return [(f"{indent}print({stripped.lstrip()[5:].strip()})", _("Put parentheses after print"))]
    return []


def _better(lines: Sequence[str], at: int) -> bool:
    """Return whether code is right, or at least wrong only further down."""
    error = _syntax_error(lines)
    return error is None or (error.lineno or 0) > at


def _syntax_error(lines: Sequence[str]) -> SyntaxError | None:
    """Return what the parser says of code, its magics left out; None when it is right."""
    source = "\n".join(re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines)
    try:
        ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))
    return None


def _without_comment(line: str) -> tuple[str, str]:
    match = re.search(r"\s+#[^\"']*$", line)
    return (line[: match.start()], match[0]) if match else (line.rstrip(), "")


# ---- code -------------------------------------------------------------------------------------------


def _rename(failure: Failure, meaning: str, name: str, near: str, *, attribute: bool = False) -> Diagnosis:
    before = r"(?<=\.)" if attribute else r"(?<![\w.])"
    source = re.sub(rf"{before}{re.escape(name)}(?!\w)", near, failure.source)
    if source == failure.source:
        return Diagnosis(meaning, _("Did you mean {near}?").format(near=near))
    return Diagnosis(
        meaning,
        _("Did you mean {near}?").format(near=near),
        source,
        _("Changed {name} to {near}").format(name=name, near=near),
    )


def _near(name: str, names: Sequence[str] | set[str], sure: float = SURE) -> str:
    """Return the one name that was surely meant; empty when none or several may have been."""
    candidates = [other for other in names if other != name]
    found = suggestion.nearest(name, candidates, 2)
    if not found:
        return ""
    if suggestion.likeness(name, found[0]) < sure:
        return ""
    if len(found) > 1 and suggestion.likeness(name, found[1]) > suggestion.likeness(name, found[0]) - 0.03:
        return ""
    return found[0]


def _literals(source: str) -> list[str]:
    return [a or b for a, b in re.findall(r"'([^'\n]*)'|\"([^\"\n]*)\"", source)]


def _with_literal(source: str, old: str, new: str) -> str:
    return re.sub(rf"(['\"]){re.escape(old)}\1", lambda match: f"{match[1]}{new}{match[1]}", source)


def _with_import(source: str, statement: str) -> str:
    lines = source.split("\n")
    at = 1 if lines[0].startswith("%%") else 0
    return "\n".join([*lines[:at], statement, *lines[at:]])


def _assigned(source: str, but: str) -> list[str]:
    return [name for name in _defined(source) if name != but]


def _defined(source: str) -> set[str]:
    """Return the names that code gives a value to, also where some lines are no Python."""
    found = re.findall(r"^(\w+)\s*(?::[^=\n]+)?=(?!=)", source, re.MULTILINE)
    found += re.findall(r"^(?:async\s+)?(?:def|class)\s+(\w+)", source, re.MULTILINE)
    found += re.findall(r"^(?:import|from)\b.*?\b(\w+)\s*$", source, re.MULTILINE)
    return set(found)


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    """Return the names of the modules that can be imported, as they were when first asked for."""
    names = {module.name for module in pkgutil.iter_modules()} | set(sys.stdlib_module_names)
    return tuple(sorted(name for name in names if not name.startswith("_")))


def _sentence(message: str) -> str:
    first = " ".join(message.strip().split("\n")[0].split())
    if not first:
        return ""
    first = first if len(first) <= 300 else first[:299] + "…"
    return capital(first) + ("" if first[-1] in ".!?…" else ".")


def _a(noun: str) -> str:
    said = {
        "int": _("a whole number"),
        "float": _("a number"),
        "str": _("a text"),
        "NoneType": "None",
        "list": _("a list"),
        "dict": _("a dictionary"),
        "tuple": _("a tuple"),
        "bool": _("True or False"),
    }.get(noun)
    if said or used() != ENGLISH:
        return said or noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


_HANDLERS: dict[str, Callable[[Failure, Known], Diagnosis | None]] = {
    "NameError": _name,
    "ModuleNotFoundError": _module,
    "ImportError": _import,
    "KeyError": _key,
    "AttributeError": _attribute,
    "FileNotFoundError": _file,
    "TypeError": _type,
    "ValueError": _value,
    "SyntaxError": _syntax,
    "IndentationError": _syntax,
    "TabError": _syntax,
}
