"""Which front end is asked, and what happens when it goes."""

from __future__ import annotations

import asyncio

import pytest

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.events import Hub
from voice_kernel.messages import (
    About,
    CellCancel,
    CellReply,
    CellRequest,
    CellView,
    DeleteCells,
    NotebookView,
    Output,
    Problem,
    ReadNotebook,
    RunCells,
    ShowOutputs,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.ui import cellhost
from voice_kernel.ui.cellhost import SurfaceCells

VIEW = NotebookView(path="a.ipynb", cells=[], active=-1)


class Page:
    """A front end that answers reads, and everything else when told to."""

    def __init__(
        self, host: SurfaceCells, surface_id: str, *, alive: bool = True, shared: bool = False
    ) -> None:
        self.surface_id = surface_id
        self.sent: list[ToSurface] = []
        self.alive = alive
        self.notebook = VIEW.model_copy(update={"shared": shared})
        self._host = host
        host.arrived(self)

    def send(self, message: ToSurface) -> None:
        self.sent.append(message)
        if self.alive and isinstance(message, CellRequest) and isinstance(message.request, ReadNotebook):
            self.reply(message)

    def reply(self, request: CellRequest, problem: Problem | None = None) -> None:
        asyncio.get_running_loop().call_soon(
            self._host.replied, self, CellReply(id=request.id, notebook=self.notebook, problem=problem)
        )

    @property
    def requests(self) -> list[CellRequest]:
        return [message for message in self.sent if isinstance(message, CellRequest)]

    def waits(self, kind: type) -> CellRequest | None:
        return next((one for one in self.requests if isinstance(one.request, kind)), None)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up no page because the machine is slow."""
    for name in ("ANSWER_LIMIT_S", "PROBE_LIMIT_S", "RETURN_LIMIT_S"):
        monkeypatch.setattr(cellhost, name, 3600.0)


@pytest.fixture
async def host() -> SurfaceCells:
    return SurfaceCells(Hub(About(version="1")))


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  the pages know nothing of events
            await asyncio.sleep(0)


async def test_without_a_front_end_it_says_what_to_open(host: SurfaceCells) -> None:
    with pytest.raises(ToolUnavailable) as caught:
        await host.request(ReadNotebook())
    assert "Voice sidebar" in caught.value.hint


async def test_the_newest_front_end_is_asked_unless_another_one_asks() -> None:
    hub = Hub(About(version="1"))
    host = SurfaceCells(hub)
    old, new = Page(host, "old"), Page(host, "new")
    await until(lambda: len(old.requests) == 2 and new.requests)  # looked at, and asked if it is still there
    old.sent.clear()
    new.sent.clear()
    hub.publish(TurnChanged(turn=Turn(id=1, state="running", origin="voice", surface_id="old", created_at=1)))
    await host.request(ReadNotebook(), step=1)
    assert (len(old.requests), len(new.requests)) == (1, 0)
    await host.request(ReadNotebook(), step=2)
    assert (len(old.requests), len(new.requests)) == (1, 1)


async def test_a_problem_is_an_error_in_the_same_words(host: SurfaceCells) -> None:
    page = Page(host, "a")
    asked = asyncio.ensure_future(host.request(DeleteCells(cells=["x"]), step=3))
    await until(lambda: page.waits(DeleteCells))
    request = page.waits(DeleteCells)
    assert request is not None
    assert request.step == 3
    page.reply(request, Problem(kind="NoSuchCell", message="Gone.", hint="Look."))
    with pytest.raises(ToolError) as caught:
        await asked
    assert (caught.value.message, caught.value.hint) == ("Gone.", "Look.")


async def test_a_page_that_leaves_ends_a_run_at_once(host: SurfaceCells) -> None:
    page = Page(host, "a")
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: page.waits(RunCells))
    host.left(page)
    with pytest.raises(ToolUnavailable, match="has gone"):
        await asked


async def test_a_reloaded_page_ends_what_it_was_asked_before(host: SurfaceCells) -> None:
    page = Page(host, "a")
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: page.waits(RunCells))
    again = Page(host, "a")
    with pytest.raises(ToolUnavailable):
        await asked
    await host.request(ReadNotebook())
    assert again.requests


@pytest.mark.parametrize("closes", [True, False])
async def test_a_reloaded_page_is_asked_again_what_changes_nothing(host: SurfaceCells, closes: bool) -> None:
    page = Page(host, "a", alive=False)
    reading = asyncio.ensure_future(host.request(ReadNotebook(), step=1))
    showing = asyncio.ensure_future(host.request(ShowOutputs(cell="x", parent_msg_id="p"), step=1))
    await until(lambda: page.waits(ShowOutputs))
    if closes:
        host.left(page)
        await asyncio.sleep(0)
    again = Page(host, "a")
    await until(lambda: again.waits(ShowOutputs))
    request = again.waits(ShowOutputs)
    assert request is not None
    again.reply(request)
    assert (await reading).notebook == VIEW
    assert (await showing).problem is None


async def test_a_page_that_was_closed_silently_is_found_out_when_another_arrives(
    host: SurfaceCells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cellhost, "PROBE_LIMIT_S", 0.01)
    page = Page(host, "a", alive=False)
    await until(lambda: page.waits(ReadNotebook))
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: page.waits(RunCells))
    Page(host, "b")
    with pytest.raises(ToolUnavailable):
        async with asyncio.timeout(30):
            await asked


async def test_a_live_page_keeps_running_when_another_arrives(host: SurfaceCells) -> None:
    page = Page(host, "a")
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: page.waits(RunCells))
    Page(host, "b")
    await until(lambda: page.waits(ReadNotebook))
    request = page.waits(RunCells)
    assert request is not None
    page.reply(request)
    assert (await asked).problem is None


async def test_a_silent_page_is_given_up_and_reading_goes_to_another(
    host: SurfaceCells, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Page(host, "good")
    silent = Page(host, "silent", alive=False)
    await until(lambda: len(good.requests) == 2 and silent.requests)  # by now they are known
    monkeypatch.setattr(cellhost, "ANSWER_LIMIT_S", 0.01)
    asked = asyncio.ensure_future(host.request(ReadNotebook(), step=7))
    await until(lambda: any(request.step == 7 for request in silent.requests))
    monkeypatch.setattr(cellhost, "ANSWER_LIMIT_S", 3600.0)  # the other one has time to answer
    assert (await asked).notebook == VIEW
    assert any(isinstance(message, CellCancel) for message in silent.sent)
    assert good.requests


async def test_a_change_is_not_asked_of_two_pages(
    host: SurfaceCells, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Page(host, "good")
    Page(host, "silent", alive=False)
    monkeypatch.setattr(cellhost, "ANSWER_LIMIT_S", 0.01)
    with pytest.raises(ToolUnavailable, match="does not answer"):
        await host.request(DeleteCells(cells=["x"]))
    assert good.waits(DeleteCells) is None


async def test_who_gives_up_waiting_tells_the_page(host: SurfaceCells) -> None:
    page = Page(host, "a")
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: page.waits(RunCells))
    asked.cancel()
    await asyncio.wait({asked})
    assert asked.cancelled()
    request = page.waits(RunCells)
    assert request is not None
    assert page.sent[-1] == CellCancel(id=request.id)
    host.replied(page, CellReply(id=request.id))  # too late: nobody waits, nothing breaks


async def test_a_notebook_that_arrives_is_looked_at_for_its_names(host: SurfaceCells) -> None:
    page = Page(host, "a", alive=False)
    await until(lambda: page.waits(ReadNotebook))
    request = page.waits(ReadNotebook)
    assert request is not None
    cells = [
        CellView(id="a", kind="markdown", source="# Load\ntext\n## The data"),
        CellView(id="b", kind="code", source="# no heading"),
    ]
    host.replied(page, CellReply(id=request.id, notebook=NotebookView(path="a", cells=cells, active=0)))
    assert (host.cell_count, host.headings) == (2, ("Load", "The data"))
    host.left(page)
    assert (host.cell_count, host.headings) == (0, ())


async def test_another_page_cannot_answer(host: SurfaceCells) -> None:
    page = Page(host, "a")
    other = Page(host, "b")
    asked = asyncio.ensure_future(host.request(RunCells(cells=["x"])))
    await until(lambda: other.waits(RunCells))
    request = other.waits(RunCells)
    assert request is not None
    host.replied(page, CellReply(id=request.id, text="not mine"))
    other.reply(request)
    assert (await asked).text == ""


async def test_a_page_that_comes_while_a_cell_runs_shows_its_output_and_hears_of_its_end(
    host: SurfaceCells,
) -> None:
    old = Page(host, "old")
    show = ShowOutputs(cell="c", parent_msg_id="m")
    showing = asyncio.ensure_future(host.request(show))
    await until(lambda: old.waits(ShowOutputs))
    begun = old.waits(ShowOutputs)
    assert begun is not None
    old.reply(begun)
    await showing

    so_far = show.model_copy(update={"outputs": [Output(kind="stream", text="tick\n")]})
    host.running = lambda: [so_far]
    new = Page(host, "new")
    await until(lambda: new.waits(ShowOutputs))
    assert [one.request for one in new.requests if isinstance(one.request, ShowOutputs)] == [so_far]

    done = so_far.model_copy(update={"done": True})
    host.running = tuple
    ending = asyncio.ensure_future(host.request(done))
    await until(lambda: len([one for one in old.requests if one.request == done]) == 1)
    for one in new.requests:
        if one.request == done:
            new.reply(one)
    await ending


async def test_a_page_that_shares_its_cells_with_one_that_shows_them_is_not_told() -> None:
    host = SurfaceCells(Hub(About(version="1")))
    old = Page(host, "old", shared=True)
    show = ShowOutputs(cell="c", parent_msg_id="m")
    showing = asyncio.ensure_future(host.request(show))
    await until(lambda: old.waits(ShowOutputs))
    begun = old.waits(ShowOutputs)
    assert begun is not None
    old.reply(begun)
    await showing
    host.running = lambda: [show]
    new = Page(host, "new", shared=True)
    await until(lambda: len([one for one in old.requests if isinstance(one.request, ReadNotebook)]) == 3)
    await until(lambda: len(asyncio.all_tasks()) == 1)  # all is said and answered
    assert new.waits(ShowOutputs) is None
    # The old one goes: who comes next takes over.
    host.left(old)
    third = Page(host, "third", shared=True)
    await until(lambda: third.waits(ShowOutputs))


async def test_a_page_that_comes_when_no_cell_runs_is_shown_none(host: SurfaceCells) -> None:
    page = Page(host, "a")
    await until(lambda: page.waits(ReadNotebook))
    await until(lambda: len(asyncio.all_tasks()) == 1)  # all is said and answered
    assert page.waits(ShowOutputs) is None
