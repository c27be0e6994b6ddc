"""Passages with their source: numbered, linked to the very place, and fit for a Markdown cell.

Titles and passages are strangers' text: everything that Markdown or HTML could read is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

MAX_FRAGMENT_WORDS = 4
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-!|<>~$&:@])")


@dataclass(frozen=True, slots=True)
class Citation:
    """One passage and where it stands."""

    number: int
    """From 1; passages of one page share it."""
    url: str
    title: str
    site: str
    date: str
    passage: str
    """The page's own words."""

    @property
    def link(self) -> str:
        """The address with the place on the page, which browsers scroll to and mark.

        Source: the text fragment of https://wicg.github.io/scroll-to-text-fragment/
        """
        words = self.passage.split()
        if len(words) <= 2 * MAX_FRAGMENT_WORDS:
            return f"{self.url}#:~:text={_part(words)}"
        return f"{self.url}#:~:text={_part(words[:MAX_FRAGMENT_WORDS])},{_part(words[-MAX_FRAGMENT_WORDS:])}"


def markdown(heading: str, citations: Sequence[Citation]) -> str:
    """Return the passages as a Markdown cell with a bibliography."""
    lines = [f"### {plain(heading)}", ""]
    for citation in citations:
        link = f"<{_address(citation.link)}>"
        lines += [f"> {plain(citation.passage)} [\\[{citation.number}\\]]({link})", ""]
    lines += ["**Sources**", ""]
    seen: set[int] = set()
    for citation in citations:
        if citation.number in seen:
            continue
        seen.add(citation.number)
        about = ", ".join(plain(part) for part in (citation.site, citation.date) if part)
        title = linked(citation.title or citation.url, citation.url)
        lines.append(f"{citation.number}. {title}" + (f", {about}" if about else ""))
    return "\n".join(lines) + "\n"


def linked(title: str, url: str) -> str:
    """Return a link in Markdown."""
    return f"[{plain(title)}](<{_address(url)}>)"


def plain(text: str) -> str:
    """Return a text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _part(words: Sequence[str]) -> str:
    # A hyphen separates parts of a fragment, so one in the text is written out.
    return quote(" ".join(words), safe="").replace("-", "%2D")


def _address(url: str) -> str:
    return url.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("\n", "")
