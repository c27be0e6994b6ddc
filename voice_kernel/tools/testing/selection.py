"""Which tests to run, as a person names them and as pytest and unittest take them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from voice_kernel.context import nearest
from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.tools import suggestion
from voice_kernel.tools.files import known_paths
from voice_kernel.tools.testing import project

MAX_CHOSEN = 500
"""Tests and files named one by one; beyond it all are run."""


def keyword_expression(keyword: str) -> str:
    """Return the words as an expression for `-k`; one that is already valid stays as it is.

    Two words are a name said aloud, `data loader`, or two things a name should contain.
    """
    name = r"(?!(?:and|or|not)\b)\w[\w.\[\]:/+-]*"
    if re.fullmatch(rf"(?:not )?{name}(?: (?:and|or) (?:not )?{name})*", keyword.strip()):
        return keyword.strip()
    words = [word for word in re.findall(r"\w+", keyword) if word not in ("and", "or", "not")]
    if len(words) < 2:
        return words[0] if words else "nothing_that_could_match"
    return f"{'_'.join(words)} or ({' and '.join(words)})"


def marker_expression(marker: str) -> str:
    """Return the words as an expression for `-m`: `slow`, `not slow`, `slow and not network`."""
    name = r"(?!(?:and|or|not)\b)\w+"
    if re.fullmatch(rf"(?:not )?{name}(?: (?:and|or) (?:not )?{name})*", marker.strip()):
        return marker.strip()
    words = [word for word in re.findall(r"\w+", marker) if word not in ("and", "or", "not")]
    return "_".join(words) or "nothing_that_could_match"


def resolve_test(cwd: Path, name: str) -> list[str]:
    """Return the node ids of a test that was named, `test_` or not: all tests of that name.

    Raises:
        ToolError: no test has that name.
    """
    name = name.strip()
    if "::" in name:
        return [resolve_path(cwd, name)]
    spelled = re.sub(r"\W+", "_", name).strip("_")
    for candidate in (spelled, f"test_{spelled}"):
        found = project.named(cwd, candidate)
        if found:
            return found
    known = project.names(cwd)
    near = nearest(name, known) or nearest(f"test_{spelled}", known)
    if near is not None:
        return project.named(cwd, near)
    raise ToolError(
        _("There is no test named {name}.").format(name=name),
        hint=suggestion.hint(f"test_{spelled}", known, _("Say: run the tests, to run all of them.")),
    )


def resolve_path(cwd: Path, path: str) -> str:
    """Return the path as an argument for pytest that cannot be taken for an option.

    A bare file name is looked for below the folder, when only one file has it.

    Raises:
        ToolError: there is no such file or folder.
    """
    path = path.strip()
    if path in ("", "."):
        return ""
    file, separator, rest = path.partition("::")
    full = os.path.normpath(os.path.join(cwd, os.path.expanduser(file)))
    if not os.path.exists(full):
        known = known_paths(cwd)
        same = [other for other in known if os.path.basename(other) == file or other.endswith("/" + file)]
        if len(same) != 1:
            likely = [other for other in known if other.endswith(".py") or os.path.isdir(cwd / other)]
            short = {os.path.basename(other): other for other in likely}
            near = same or [short.get(name, name) for name in suggestion.nearest(file, [*likely, *short])]
            hint = _("Say: list files.")
            if near:
                names = _(" or ").join(dict.fromkeys(near[:3]))
                hint = _("Did you mean {name}?").format(name=names)
            raise ToolError(_("There is no file or folder {file} here.").format(file=file), hint=hint)
        full = os.path.join(cwd, same[0])
    return as_argument(os.path.relpath(full, cwd)) + separator + rest


def as_argument(path: str) -> str:
    """Return a path so that it cannot be taken for an option."""
    return path if path[:1].isalnum() or path[:1] in ("_", ".") else os.path.join(".", path)
