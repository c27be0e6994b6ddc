"""What the process that takes documents apart says of them is in the session's language."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import web_site

from voice_kernel import language
from voice_kernel.errors import WebError
from voice_kernel.task import process
from voice_kernel.web.addresses import Reach
from voice_kernel.web.fetch import Fetcher
from voice_kernel.web.library import Library

LIMIT_S = 120.0


async def run(argv: Sequence[str], limit_s: float) -> int:
    return (await process.run(argv, timeout_s=max(LIMIT_S, limit_s))).code


async def test_what_is_wrong_with_a_document_is_said_in_german() -> None:
    with web_site.serve() as site:
        place = site.partition("://")[2]
        library = Library(Fetcher(Reach(private=(place,)), total_s=LIMIT_S), run)
        language.use("de")
        try:
            with pytest.raises(WebError, match="Es ist ein beschädigtes PDF"):
                await library.read(f"{site}/broken.pdf")
        finally:
            language.use("en")
            await library.close()
