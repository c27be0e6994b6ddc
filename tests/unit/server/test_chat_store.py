"""ChatKit's store on our database: on SQLite and on PostgreSQL, what is asked of one is asked of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    FileAttachment,
    ThreadItem,
    ThreadMetadata,
    WidgetItem,
)

from tests import postgres_server
from voice_kernel.server.store import Caller, ChatStore
from voice_kernel.store import chats
from voice_kernel.store.faults import Patience

ADA, EVE = Caller("ada"), Caller("eve")
NOW = datetime(2026, 3, 1, 12)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ChatStore]:
    patient = partial(Patience, busy_s=120.0, connect_s=120.0)  # as a busy machine needs
    monkeypatch.setattr("voice_kernel.store.database.Patience", patient)
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()
    opened = ChatStore(url, tmp_path)
    yield opened
    await opened.close()


def thread(name: str = "one", minutes: int = 0) -> ThreadMetadata:
    return ThreadMetadata(id=name, created_at=NOW + timedelta(minutes=minutes), metadata={"kept": True})


def message(name: str, seconds: int = 0, text: str = "hello") -> ThreadItem:
    return AssistantMessageItem(
        id=name,
        thread_id="one",
        created_at=NOW + timedelta(seconds=seconds),
        content=[AssistantMessageContent(text=text)],
    )


async def test_a_thread_comes_back_as_it_was_written(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    assert await store.load_thread("one", ADA) == thread()
    renamed = thread().model_copy(update={"title": "A title"})
    await store.save_thread(renamed, ADA)
    assert (await store.load_thread("one", ADA)).title == "A title"


async def test_pages_follow_each_other_in_both_orders_without_a_gap(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    names = [f"item{number:02}" for number in range(10)]
    for number, name in enumerate(names):
        await store.add_thread_item("one", message(name, seconds=number // 3), ADA)  # some at one moment
    for order, expected in (("asc", names), ("desc", names[::-1])):
        found: list[str] = []
        after: str | None = None
        for _ in range(20):
            page = await store.load_thread_items(
                thread_id="one", after=after, limit=4, order=order, context=ADA
            )
            found += [item.id for item in page.data]
            after = page.after
            assert page.has_more == (after is not None)
            if not page.has_more:
                break
        assert found == expected


async def test_threads_are_listed_by_the_time_they_were_made(store: ChatStore) -> None:
    for minutes, name in ((2, "third"), (0, "first"), (1, "second")):
        await store.save_thread(thread(name, minutes), ADA)
    newest = await store.load_threads(limit=2, after=None, order="desc", context=ADA)
    assert [one.id for one in newest.data] == ["third", "second"]
    rest = await store.load_threads(limit=2, after=newest.after, order="desc", context=ADA)
    assert [one.id for one in rest.data] == ["first"]
    assert not rest.has_more


async def test_nothing_of_one_user_is_found_by_another(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    await store.add_thread_item("one", message("a"), ADA)
    await store.save_attachment(FileAttachment(id="f", name="x", mime_type="text/plain"), ADA)
    with pytest.raises(NotFoundError):
        await store.load_thread("one", EVE)
    with pytest.raises(NotFoundError):
        await store.load_item("one", "a", EVE)
    with pytest.raises(NotFoundError):
        await store.load_attachment("f", EVE)
    with pytest.raises(NotFoundError):
        await store.add_thread_item("one", message("b"), EVE)
    with pytest.raises(NotFoundError):
        await store.delete_thread("one", EVE)
    await store.delete_thread_item("one", "a", EVE)
    await store.save_thread(thread().model_copy(update={"title": "Eve's own"}), EVE)
    assert (await store.load_thread("one", ADA)).title is None
    assert (await store.load_item("one", "a", ADA)).id == "a"


async def test_an_item_that_is_written_again_keeps_its_place(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    for name in ("a", "b", "c"):
        await store.add_thread_item("one", message(name), ADA)
    await store.save_item("one", message("b", text="changed"), ADA)
    await store.add_thread_item("one", message("c", text="not taken"), ADA)
    page = await store.load_thread_items("one", None, 10, "asc", ADA)
    assert [(item.id, item.content[0].text) for item in page.data if item.type == "assistant_message"] == [
        ("a", "hello"),
        ("b", "changed"),
        ("c", "hello"),
    ]


async def test_a_thread_goes_with_all_it_has_and_says_which_files(store: ChatStore) -> None:
    gone: list[tuple[str, list[str]]] = []

    async def deleted(thread_id: str, attached: list[str], context: Caller) -> None:
        gone.append((thread_id, attached))

    store.on_deleted = deleted
    await store.save_thread(thread(), ADA)
    await store.add_thread_item("one", message("a"), ADA)
    await store.save_feedback("one", ["a", "nothing"], "positive", ADA)
    await store.save_feedback("one", ["a"], "negative", ADA)
    assert await store.feedback("one", ADA) == {"a": "negative"}
    attached = FileAttachment(id="f", name="x", mime_type="text/plain", thread_id="one")
    await store.save_attachment(attached, ADA)
    await store.delete_thread("one", ADA)
    assert gone == [("one", ["f"])]
    with pytest.raises(NotFoundError):
        await store.load_attachment("f", ADA)
    assert (await store.load_thread_items("one", None, 10, "asc", ADA)).data == []


async def test_widgets_of_every_kind_come_back_as_they_were(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    root = {"type": "Basic", "children": [{"type": "Progress", "id": "p", "label": "Half", "value": 50}]}
    item = WidgetItem.model_validate({"id": "w", "thread_id": "one", "created_at": NOW, "widget": root})
    await store.add_thread_item("one", item, ADA)
    assert await store.load_item("one", "w", ADA) == item


async def test_text_that_no_database_takes_is_kept_without_its_worst(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    await store.add_thread_item("one", message("a", text="a\0b 漢字 🙂"), ADA)
    item = await store.load_item("one", "a", ADA)
    assert item.type == "assistant_message"
    assert "漢字 🙂" in item.content[0].text


async def test_no_user_fills_the_disk(store: ChatStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "MAX_THREADS", 3)
    monkeypatch.setattr(chats, "MAX_ITEMS", 4)
    for number in range(5):
        await store.save_thread(thread(f"t{number}", number), ADA)
    listed = await store.load_threads(10, None, "asc", ADA)
    assert [one.id for one in listed.data] == ["t2", "t3", "t4"]
    for number in range(6):
        await store.add_thread_item("t4", message(f"i{number}", number), ADA)
    page = await store.load_thread_items("t4", None, 10, "asc", ADA)
    assert [item.id for item in page.data] == ["i2", "i3", "i4", "i5"]


async def test_what_nobody_uses_is_removed(store: ChatStore) -> None:
    await store.save_thread(thread(), ADA)
    await store.save_attachment(FileAttachment(id="loose", name="x", mime_type="text/plain"), ADA)
    assert await store.prune(days=1, loose_before=0.0) == []
    assert await store.prune(days=1, loose_before=9e9) == [("ada", "loose")]
    assert (await store.load_thread("one", ADA)).id == "one"
