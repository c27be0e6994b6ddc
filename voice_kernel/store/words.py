"""The words by which things are found: the same on every database.

What is searched and what is looked for are cut into words here, not by the database, so that SQLite and
PostgreSQL find the same. Upper and lower case are alike, and so are letters with and without accents.
A query is made of such words alone: no sign in it can mean anything to the database.
"""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 200
"""Of one text; those after are not searched."""
MAX_QUERY_WORDS = 16
MAX_WORD_CHARS = 40
MAX_TEXT_CHARS = 4_000

_WORD = re.compile(r"[^\W_]+|[\u2190-\u2bff\U0001f000-\U0001faff]")
"""Letters and digits; arrows, symbols and emoji are words by themselves."""
_PLAIN = re.compile(r"[a-z0-9]+")


def words(*texts: str, limit: int = MAX_WORDS) -> list[str]:
    """Return the different words of texts, in order."""
    text = " ".join(text[:MAX_TEXT_CHARS] for text in texts if text)
    if text.isascii():
        found = _PLAIN.findall(text.lower())
    else:
        letters = unicodedata.normalize("NFKD", text.casefold())
        found = _WORD.findall("".join(c for c in letters if unicodedata.category(c) != "Mn"))
    return list(dict.fromkeys(word[:MAX_WORD_CHARS] for word in found))[:limit]


def indexed(*texts: str) -> str:
    """Return the words of texts as the databases keep them: with one space between."""
    return " ".join(words(*texts))


def wanted(query: str) -> list[str] | None:
    """Return the words of a query; None where nothing is asked for, empty where nothing can be found."""
    return words(query, limit=MAX_QUERY_WORDS) if query.strip() else None


def fts5(query: list[str]) -> str:
    """Write a query for SQLite: every word, as a prefix."""
    return " ".join(f'"{word}"*' for word in query)


def tsquery(query: list[str]) -> str:
    """Write a query for PostgreSQL: every word, as a prefix."""
    return " & ".join(f"'{word}':*" for word in query)
