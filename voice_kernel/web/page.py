"""What a fetched document says: title, site, date and text. A program of its own, too.

Pages and papers come from strangers, and the libraries that take them apart are large: they run in a
process with limits of memory and time, which may crash or hang without harm. `python -m
voice_kernel.web.page FOLDER LANGUAGE` reads `FOLDER/N.json` with `FOLDER/N.body` and writes `FOLDER/N.page`,
one after the other, so that what was read before a crash is there; problems are told in that language.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voice_kernel import language
from voice_kernel.language import _

MAX_TEXT_CHARS = 300_000
MAX_PDF_PAGES = 300
MEMORY_BYTES = 2 * 1024**3
CPU_S = 60
HTML = frozenset({"text/html", "application/xhtml+xml", ""})
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Page:
    """A document as text. All of it was written by a stranger."""

    url: str
    title: str = ""
    site: str = ""
    author: str = ""
    date: str = ""
    """ISO, as far as the page says it; else empty."""
    text: str = ""
    """Paragraphs, separated by empty lines; headings begin with `#`."""
    kind: str = "html"
    """`html`, `pdf` or `text`."""
    cut: bool = False
    """Whether it was longer than what is read."""
    problem: str = ""
    """Why it could not be read, in one sentence; then there is no text."""


def page_of(url: str, content_type: str, charset: str, body: bytes) -> Page:
    """Return what a document says. Never raises for what a document may hold."""
    if content_type == PDF or body[:5] == b"%PDF-":
        return _pdf(url, body)
    if content_type in HTML or body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return _html(url, charset, body)
    if content_type.startswith("text/") or content_type in ("application/json", "application/xml"):
        return _finished(Page(url, _name(url), kind="text", text=decoded(body, charset)))
    return Page(url, problem=_("It is no text but {content_type}.").format(content_type=content_type))


def decoded(body: bytes, charset: str) -> str:
    """Return bytes as text: the server's word counts only when it fits."""
    for name in (charset, _named_in(body), "utf-8"):
        if name:
            with contextlib.suppress(LookupError, UnicodeDecodeError):
                text = body.decode(name)
                if "\x00" not in text:
                    return text
    from charset_normalizer import from_bytes

    best = from_bytes(body[:200_000]).best()
    return body.decode(best.encoding if best else "utf-8", "replace")


def _html(url: str, charset: str, body: bytes) -> Page:
    import trafilatura

    html = decoded(body, charset)
    found: Any = trafilatura.bare_extraction(
        html, url=url, with_metadata=True, include_comments=False, include_formatting=False, favor_recall=True
    )
    text = _text_of(found) if found is not None else ""
    if not text.strip():
        text = trafilatura.html2txt(html)
    if not text.strip():
        return Page(url, problem=_("There is no text in it; it may need a browser to show any."))
    return _finished(
        Page(
            url,
            title=_line(getattr(found, "title", "")),
            site=_line(getattr(found, "sitename", "")),
            author=_line(getattr(found, "author", "")),
            date=_line(getattr(found, "date", "")),
            text=text,
        )
    )


def _text_of(found: Any) -> str:
    """Return the extracted tree as paragraphs; headings keep a mark."""
    parts: list[str] = []
    body = getattr(found, "body", None)
    for element in body.iter("head", "p", "item", "quote", "code", "cell") if body is not None else ():
        if any(parent.tag in ("p", "item", "quote", "code", "cell") for parent in element.iterancestors()):
            continue
        text = " ".join("".join(element.itertext()).split())
        if text:
            parts.append(f"# {text}" if element.tag == "head" else text)
    return "\n\n".join(parts) or str(getattr(found, "text", "") or "")


def _pdf(url: str, body: bytes) -> Page:
    import io

    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            return Page(url, kind="pdf", problem=_("It is a PDF with a password."))
        pages = []
        for number, page in enumerate(reader.pages):
            if number >= MAX_PDF_PAGES:
                break
            pages.append(page.extract_text() or "")
        meta = reader.metadata
        title = _line(meta.title if meta and meta.title else "")
        author = _line(meta.author if meta and meta.author else "")
        created = meta.creation_date if meta else None
        many = len(reader.pages)
    # pypdf raises whatever a broken file makes it trip over.
    except Exception:  # noqa: BLE001
        return Page(url, kind="pdf", problem=_("It is a broken PDF."))
    text = "\n\n".join(" ".join(page.split()) for page in pages if page.strip())
    if not text:
        return Page(url, kind="pdf", problem=_("It is a PDF of pictures: there is no text in it."))
    date = created.date().isoformat() if created else ""
    page_ = Page(url, title or _name(url), author=author, date=date, text=text, kind="pdf")
    return _finished(page_, cut=many > MAX_PDF_PAGES)


def _finished(page: Page, *, cut: bool = False) -> Page:
    values = asdict(page)
    values["site"] = page.site or re.sub(r"^www\.", "", page.url.split("/")[2])
    values["title"] = page.title or _name(page.url)
    values["text"] = page.text[:MAX_TEXT_CHARS]
    values["cut"] = cut or len(page.text) > MAX_TEXT_CHARS
    return Page(**values)


def _named_in(body: bytes) -> str:
    found = re.search(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,30})", body[:4096], re.IGNORECASE)
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if body.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    return found.group(1).decode() if found else ""


def _line(value: Any) -> str:
    return " ".join(str(value or "").split())[:300]


def _name(url: str) -> str:
    from urllib.parse import unquote

    return unquote(url.rstrip("/").rsplit("/", 1)[-1])[:200]


def main(folder: Path) -> int:
    """Read every document of a folder."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    for path in sorted(folder.glob("*.json")):
        done = path.with_suffix(".page")
        if done.exists():
            continue
        about = json.loads(path.read_text("utf-8"))
        try:
            page = page_of(**about, body=path.with_suffix(".body").read_bytes())
        # lxml and pypdf raise whatever a hostile document makes them trip over.
        except Exception as error:  # noqa: BLE001
            problem = _("It could not be taken apart ({name}).").format(name=type(error).__name__)
            page = Page(about["url"], problem=problem)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(asdict(page)), "utf-8", errors="replace")
        half.replace(done)
    return 0


if __name__ == "__main__":
    language.use(sys.argv[2])
    raise SystemExit(main(Path(sys.argv[1])))
