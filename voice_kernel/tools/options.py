"""Reads the arguments of a command: its options, their values, and the words that are neither.

It knows how options are written and which of them take values, and not what they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from voice_kernel.tools import programs
from voice_kernel.tools.shellwords import Word


def short_for(given: str, name: str) -> bool:
    """Return whether GNU's parser of options may take one for the other: `--check` for `--checkpoint`."""
    return len(given) > 3 and name.startswith(given)


def family_of(program: str) -> str:
    """Return the name whose rules hold for a program: `pip3.11` is `pip`, `apt-get` is `apt`."""
    bare = program if program in programs.SQL else re.sub(r"[\d.]+$", "", program) or program
    return programs.FAMILIES.get(bare, bare)


def operands_of(family: str, arguments: Sequence[Word]) -> list[Word]:
    """Return the words of a command that are no options, nor values of options."""
    takes_value = programs.VALUE_OPTIONS.get(family, frozenset())
    return list(_without_options(arguments, takes_value))


def _without_options(arguments: Sequence[Word], takes_value: frozenset[str]) -> Iterator[Word]:
    skip = False
    for word in arguments:
        if skip:
            skip = False
        elif word.text.startswith(("-", "+")) and len(word.text) > 1:
            skip = word.text in takes_value
        else:
            yield word


def values_of(arguments: Sequence[Word], letters: str, names: tuple[str, ...]) -> Iterator[Word]:
    """Yield the values of an option, in all the ways in which one can be given: -o x, -ox, --output=x."""
    for option, value in pairwise([*arguments, Word("")]):
        name, equals, given = option.text.partition("=")
        if name in names or any(short_for(name, full) for full in names):
            yield Word(given, option.dynamic) if equals else value
        elif letters and (match := re.fullmatch(rf"-\w*?[{letters}](.*)", option.text)):
            yield Word(match[1], option.dynamic) if match[1] else value


def first_of(arguments: Sequence[Word]) -> str:
    """Return the first word; empty where there is none."""
    return arguments[0].text if arguments else ""
