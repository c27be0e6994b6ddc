"""`web_search`, `read_page`, `insert_citations`: what the web says, in its own words and with its sources.

Results carry text of strangers: models get it marked as such, people see it as text. How pages are fetched
and read is web's part.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import Field

from voice_kernel.errors import ToolError, WebError
from voice_kernel.language import _, ngettext_, number
from voice_kernel.messages import Output, Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools.terminal import clip
from voice_kernel.web import citations
from voice_kernel.web.addresses import address_of
from voice_kernel.web.citations import Citation
from voice_kernel.web.digest import Sentence, key_sentences
from voice_kernel.web.engines import Engine, Hit
from voice_kernel.web.library import Library
from voice_kernel.web.page import Page

MAX_HITS = 10
MAX_PASSAGES = 6
MAX_SHOWN_CHARS = 12_000
"""Of a page's text; all of it up to a limit is in the log."""

Call = Callable[[TaskHandle, str, dict[str, Any]], Awaitable[Task]]
"""Calls a tool through the toolbox, for the turn of a task."""


class Query(Arguments):
    """Arguments of `web_search`."""

    query: str = Field(min_length=1, max_length=400, description="What to search for.")


class Url(Arguments):
    """Arguments of `read_page`."""

    url: str = Field(min_length=1, max_length=4_096, description="Address of the page.")


class OfTask(Arguments):
    """Arguments of `insert_citations`."""

    task: str = Field(
        default="last", max_length=20, description="Number of the search or reading task, or last."
    )


def register(
    registry: Registry,
    *,
    library: Callable[[], Library],
    engine: Callable[[], Engine],
    pages: int,
    tasks: Callable[[], list[Task]],
    call: Call,
) -> None:
    """Register the research tools.

    Args:
        registry: where.
        library: reads pages.
        engine: finds them.
        pages: how many of those found are read.
        tasks: the known tasks, oldest first.
        call: inserts the cell, through the door.
    """
    network: Effects = frozenset({"network"})

    @registry.tool(area="research", effects=network, untrusted=True)
    async def web_search(task: TaskHandle, args: Query) -> Result:
        """Search the web, read the best pages and give their key passages with sources."""
        task.progress(None, _("asking {name}").format(name=engine().name))
        hits = await engine().search(args.query, MAX_HITS)
        if not hits:
            return Result(
                summary=_("Nothing was found about {query}.").format(query=args.query), data={"hits": []}
            )
        chosen = [hit for hit in hits if _readable(hit.url)][:pages]
        task.progress(0.3, _("reading {count} pages").format(count=len(chosen)))
        read = await library().read_all([hit.url for hit in chosen], lambda line: task.output(f"{line}\n"))
        task.progress(0.9, _("choosing passages"))
        return _searched(args.query, hits, read)

    @registry.tool(area="research", effects=network, target=_host, untrusted=True)
    async def read_page(task: TaskHandle, args: Url) -> Result:
        """Read the text of a web page or PDF and give its key passages."""
        page = await library().read(args.url)
        task.output(page.text)
        return _read(page)

    @registry.tool(
        area="research",
        effects=frozenset({"write"}),
        target=lambda args: _("task {task}").format(task=args.task),
    )
    async def insert_citations(task: TaskHandle, args: OfTask) -> Result:
        """Insert the passages of a search or a page as a Markdown cell with a bibliography."""
        done = _cited(tasks(), args.task)
        given = done.result.data if done.result is not None else {}
        cited = [Citation(**one) for one in given["citations"]]
        source = citations.markdown(str(given["about"]), cited)
        inserted = await call(
            task, "insert_cell", {"source": source, "kind": "markdown", "position": "below"}
        )
        if inserted.state != "succeeded":
            problem = inserted.problem
            raise ToolError(
                problem.message if problem else _("The cell could not be inserted."),
                hint=problem.hint if problem else "",
            )
        many = len({citation.number for citation in cited})
        summary = _("Inserted {passages} from {sources}.").format(
            passages=_counted(len(cited), "passage"), sources=_counted(many, "source")
        )
        return Result(summary=summary, data={"source": source})


def _searched(query: str, hits: list[Hit], read: list[Page]) -> Result:
    good = [page for page in read if not page.problem]
    chosen = key_sentences(query, [page.text for page in good], MAX_PASSAGES)
    dates = {hit.url: hit.date for hit in hits}
    cited = _citations(good, chosen, dates)
    numbers = {citation.url: citation.number for citation in cited}
    lines = [f"{citation.passage} [{citation.number}]" for citation in cited]
    lines += ["", *_sources(cited)]
    others = [hit for hit in hits if hit.url not in numbers]
    if others:
        lines += [
            "",
            _("Also found:"),
            *(f"- {_one_line(hit.title or hit.url)}  {hit.url}" for hit in others),
        ]
    unread = [page for page in read if page.problem]
    lines += [_("Not read: {url}: {problem}").format(url=page.url, problem=page.problem) for page in unread]
    sites = len(numbers)
    heading = query[:1].upper() + query[1:]
    summary = (
        _("{passages} from {pages} about {query}.").format(
            passages=_counted(len(cited), "passage"), pages=_counted(sites, "page"), query=query
        )
        if cited
        else _("{count} pages were found about {query}; none of those read says much.").format(
            count=len(hits), query=query
        )
    )
    return Result(
        summary=summary,
        text=clip("\n".join(lines).strip()),
        outputs=_shown(heading, cited, others, unread),
        data={
            "about": heading,
            "hits": [asdict(hit) for hit in hits],
            "citations": [asdict(citation) for citation in cited],
            "unread": {page.url: page.problem for page in unread},
        },
    )


def _read(page: Page) -> Result:
    cited = _citations([page], key_sentences("", [page.text], MAX_PASSAGES), {})
    about = " · ".join(part for part in (page.site, page.author, page.date) if part)
    text = page.text[:MAX_SHOWN_CHARS]
    note = _("\n\n[The rest is in the log.]") if len(page.text) > len(text) else ""
    if page.cut:
        note += _("\n\n[The page is longer than what was read.]")
    return Result(
        summary=_("{one_line}: {count} words.").format(
            one_line=_one_line(page.title), count=number(len(page.text.split()))
        ),
        text=clip(f"{_one_line(page.title)}\n{about}\n\n{text}{note}"),
        outputs=_shown(page.title, cited),
        data={
            "about": page.title,
            "url": page.url,
            "title": page.title,
            "site": page.site,
            "author": page.author,
            "date": page.date,
            "citations": [asdict(citation) for citation in cited],
        },
    )


def _citations(pages: list[Page], chosen: list[Sentence], dates: dict[str, str]) -> list[Citation]:
    """Number the sources in the order in which passages first come from them."""
    numbers: dict[int, int] = {}
    cited = []
    for sentence in chosen:
        page = pages[sentence.page]
        at = numbers.setdefault(sentence.page, len(numbers) + 1)
        date = page.date or dates.get(page.url, "")
        cited.append(Citation(at, page.url, page.title, page.site, date, sentence.text))
    return sorted(cited, key=lambda citation: citation.number)


def _sources(cited: list[Citation]) -> list[str]:
    seen: dict[int, str] = {}
    for citation in cited:
        about = ", ".join(part for part in (citation.site, citation.date) if part)
        title = _one_line(citation.title)
        seen.setdefault(citation.number, f"[{citation.number}] {title}. {about}. {citation.url}")
    return list(seen.values())


def _shown(
    heading: str, cited: list[Citation], others: Sequence[Hit] = (), unread: Sequence[Page] = ()
) -> list[Output]:
    if not cited:
        return []
    plain = "\n".join(f"{citation.passage} [{citation.number}]" for citation in cited)
    parts = [citations.markdown(heading, cited)]
    problems = {page.url: page.problem for page in unread}
    if others:
        lines = [
            f"- {citations.linked(hit.title or hit.url, hit.url)}"
            + (
                _(" (not read: {plain})").format(plain=citations.plain(problems[hit.url].rstrip(".")))
                if hit.url in problems
                else ""
            )
            for hit in others
        ]
        parts.append("\n".join([_("**Also found**"), "", *lines, ""]))
    data = {"text/markdown": "\n".join(parts), "text/plain": plain}
    return [Output(kind="display", data=data)]


def _cited(tasks: list[Task], which: str) -> Task:
    usable = [task for task in tasks if task.result is not None and task.result.data.get("citations")]
    chosen = usable[-1:] if which == "last" else [task for task in usable if str(task.id) == which]
    if not chosen:
        raise ToolError(
            _("There are no passages to insert.")
            if which == "last"
            else _("Task {which} has no passages.").format(which=which),
            hint=_("Search the web or read a page first."),
        )
    return chosen[0]


def _host(args: Url) -> str:
    try:
        return address_of(args.url).host
    except WebError:
        return args.url


def _counted(many: int, noun: str) -> str:
    counted = {
        "page": ngettext_("{count} page", "{count} pages", many),
        "passage": ngettext_("{count} passage", "{count} passages", many),
        "source": ngettext_("{count} source", "{count} sources", many),
    }
    return counted[noun].format(count=number(many))


def _readable(url: str) -> bool:
    try:
        address_of(url)
    except WebError:
        return False
    return True


def _one_line(text: str) -> str:
    return " ".join(text.split())
