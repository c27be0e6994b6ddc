"""ChatKit over HTTP, request by request: a real server, a real kernel, and the SDK's own types."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from chatkit.actions import Action
from chatkit.types import (
    AttachmentCreateParams,
    AttachmentDeleteParams,
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    InputTranscribeParams,
    InputTranscribeReq,
    ItemFeedbackParams,
    ItemsFeedbackReq,
    ItemsListParams,
    ItemsListReq,
    StructuredInputAnswerSubmission,
    StructuredInputSubmission,
    ThreadAddClientToolOutputParams,
    ThreadAddStructuredInputParams,
    ThreadAddUserMessageParams,
    ThreadCreateParams,
    ThreadCustomActionParams,
    ThreadDeleteParams,
    ThreadGetByIdParams,
    ThreadListParams,
    ThreadRetryAfterItemParams,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    ThreadUpdateParams,
)
from openai_server import serve as serve_model
from served import (
    WAIT_S,
    ChatClient,
    Served,
    answer,
    attached_server,
    client,
    http_client,
    items,
    server,
    thread_of,
    user_message,
)

from voice_kernel.store import History

CLIPS = Path(__file__).parents[1] / "data" / "speech"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    work = folder / "work"
    work.mkdir()
    (work / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    (work / "sales.csv").write_text("a,b\n1,2\n")
    with server(folder, "--allow-origin", "http://localhost:5173") as running:
        yield running


@pytest.fixture(scope="module")
def session_id() -> str:
    """One kernel for the tests that need no other."""
    return "ses_" + "0a" * 12


@pytest.fixture
async def chat(served: Served, session_id: str) -> AsyncIterator[ChatClient]:
    async with client(served, session_id=session_id) as chat:
        yield chat


async def item_list(chat: ChatClient, thread_id: str, **params: Any) -> dict[str, Any]:
    page: dict[str, Any] = await chat.ask(ItemsListReq(params=ItemsListParams(thread_id=thread_id, **params)))
    return page


async def eventually(chat: ChatClient, path: str, holds: Any) -> Any:
    give_up_at = time.monotonic() + WAIT_S
    while True:
        body = (await chat.http.get(path, headers=chat.headers)).json()
        if found := holds(body):
            return found
        assert time.monotonic() < give_up_at, body
        await asyncio.sleep(0.05)


def action(thread_id: str, kind: str, payload: Any, item_id: str | None = None) -> ThreadsCustomActionReq:
    params = ThreadCustomActionParams(
        thread_id=thread_id, item_id=item_id, action=Action(type=kind, payload=payload)
    )
    return ThreadsCustomActionReq(params=params)


# ---- messages -------------------------------------------------------------------------------------


async def test_a_message_becomes_a_task_a_card_and_an_answer_and_all_of_it_is_in_the_thread(
    chat: ChatClient,
) -> None:
    events = await chat.create("list the files")
    kinds = [event.type for event in events]
    assert kinds[:3] == ["thread.created", "thread.item.done", "stream_options"]
    workflow = items(events, "workflow")[0].workflow
    assert [task.status_indicator for task in workflow.tasks] == ["complete"]
    assert "1 file" in answer(events)
    deltas = [event.update.delta for event in events if getattr(event, "update", None)
              and event.update.type == "assistant_message.content_part.text_delta"]  # fmt: skip
    assert "".join(deltas) == answer(events)
    card = items(events, "widget")[0]
    assert "sales.csv" in card.model_dump_json()
    whole = await chat.ask(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_of(events))))
    assert whole["title"] == "list the files"
    assert {item["id"] for item in whole["items"]["data"]} == {item.id for item in items(events)}


async def test_words_that_nobody_understands_are_answered_in_the_thread(chat: ChatClient) -> None:
    assert "did not understand" in answer(await chat.create("open the pod bay doors"))


async def test_items_are_paged_in_both_orders_and_threads_are_listed_renamed_and_deleted(
    served: Served, session_id: str
) -> None:
    async with client(served, "pager", session_id) as chat:
        first = thread_of(await chat.create("list tasks"))
        for _ in range(3):
            await chat.add(first, "list tasks")
        second = thread_of(await chat.create("list the files"))
        whole = await item_list(chat, first, order="asc", limit=100)
        for order in ("asc", "desc"):
            found: list[str] = []
            after = None
            while True:
                page = await item_list(chat, first, order=order, limit=3, after=after)
                found += [item["id"] for item in page["data"]]
                after = page.get("after")
                if not page["has_more"]:
                    break
            expected = [item["id"] for item in whole["data"]]
            assert found == (expected if order == "asc" else expected[::-1])
        listed = await chat.ask(ThreadsListReq(params=ThreadListParams(limit=1)))
        assert [thread["id"] for thread in listed["data"]] == [second]
        assert listed["has_more"]
        following = await chat.ask(ThreadsListReq(params=ThreadListParams(limit=1, after=listed["after"])))
        assert [thread["id"] for thread in following["data"]] == [first]
        await chat.ask(ThreadsUpdateReq(params=ThreadUpdateParams(thread_id=first, title="Renamed")))
        await chat.ask(ThreadsDeleteReq(params=ThreadDeleteParams(thread_id=second)))
        left = await chat.ask(ThreadsListReq(params=ThreadListParams()))
        assert [thread["title"] for thread in left["data"]] == ["Renamed"]
        gone = await chat.post(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=second)))
        assert gone.status_code == 404


async def test_one_users_threads_are_nobody_elses(chat: ChatClient, served: Served) -> None:
    thread_id = thread_of(await chat.create("list tasks"))
    async with client(served, "eve") as eve:
        request = ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_id))
        assert (await eve.post(request)).status_code == 404
        assert (await item_list(eve, thread_id))["data"] == []
        assert (await eve.ask(ThreadsListReq(params=ThreadListParams())))["data"] == []
        deleted = await eve.post(ThreadsDeleteReq(params=ThreadDeleteParams(thread_id=thread_id)))
        assert deleted.status_code == 404
    assert (await chat.post(request)).status_code == 200


async def test_a_message_is_tried_again_without_what_came_of_it_before(chat: ChatClient) -> None:
    events = await chat.create("run the command date +%N")
    thread_id, asked = thread_of(events), items(events, "user_message")[0]
    params = ThreadRetryAfterItemParams(thread_id=thread_id, item_id=asked.id)
    again = await chat.events(ThreadsRetryAfterItemReq(params=params))
    assert items(again, "widget")[0].copy_text != items(events, "widget")[0].copy_text
    kept = await item_list(chat, thread_id, limit=50)
    assert {item["id"] for item in kept["data"]} == {asked.id, *(item.id for item in items(again))}


# ---- what waits for a person ----------------------------------------------------------------------


ASKS = "run the command pip uninstall --yes nothing-of-that-name"
"""What the shell is not let do without a yes."""


async def asked(chat: ChatClient, words: str = ASKS) -> Any:
    events = await chat.create(words)
    card = items(events, "widget")[-1]
    buttons = card.widget.model_dump()
    assert buttons["confirm"]["label"] == "Approve"
    assert buttons["cancel"]["label"] == "Deny"
    return thread_of(events), card


def pressed(thread_id: str, card: Any, button: str) -> ThreadsCustomActionReq:
    wanted = card.widget.model_dump()[button]["action"]
    return action(thread_id, wanted["type"], wanted["payload"], card.id)


async def test_an_approval_is_a_card_and_deny_ends_the_turn(chat: ChatClient) -> None:
    thread_id, card = await asked(chat)
    events = await chat.events(pressed(thread_id, card, "cancel"))
    replaced = next(event.item for event in events if event.type == "thread.item.replaced")
    assert replaced.id == card.id
    assert "Denied" in replaced.model_dump_json()
    assert answer(events)
    again = await chat.events(pressed(thread_id, card, "cancel"))
    assert (
        next(event for event in again if event.type == "error").message == "This card is not open any more."
    )


async def test_approving_goes_on_in_the_stream_of_the_click(chat: ChatClient) -> None:
    thread_id, card = await asked(chat, f"{ASKS}; sleep 3; echo came late")
    events = await chat.events(pressed(thread_id, card, "confirm"))
    assert items(events, "workflow")
    assert "came late" in items(events, "widget")[0].copy_text


async def test_a_typed_yes_approves_and_its_stream_tells_what_comes_of_it(chat: ChatClient) -> None:
    thread_id, card = await asked(chat)
    events = await chat.add(thread_id, "approve")
    assert any(event.type == "thread.item.replaced" and event.item.id == card.id for event in events), events
    assert items(events, "workflow")


async def test_what_is_answered_elsewhere_is_in_the_thread_when_it_is_looked_at(chat: ChatClient) -> None:
    thread_id, card = await asked(chat)
    tasks = (await chat.http.get("/api/tasks", headers=chat.headers)).json()
    (approval,) = tasks["approvals"]
    decided = await chat.http.post(
        f"/api/approvals/{approval['id']}", headers=chat.headers, json={"approved": False}
    )
    assert decided.status_code == 202
    give_up_at = time.monotonic() + WAIT_S
    while True:
        kept = {item["id"]: item for item in (await item_list(chat, thread_id, limit=50))["data"]}
        if "Denied" in json.dumps(kept[card.id]) and any(
            item["type"] == "assistant_message" for item in kept.values()
        ):
            break
        assert time.monotonic() < give_up_at, kept
        await asyncio.sleep(0.05)


# ---- actions --------------------------------------------------------------------------------------


async def test_the_retry_button_of_a_task_card_does_it_again(chat: ChatClient) -> None:
    events = await chat.create("run the command echo repeated")
    card = items(events, "widget")[0]
    button = card.widget.model_dump()["children"][-1]["children"][0]
    assert button["label"] == "Retry"
    again = await chat.events(
        action(
            thread_of(events), button["onClickAction"]["type"], button["onClickAction"]["payload"], card.id
        )
    )
    assert "repeated" in items(again, "widget")[0].model_dump_json()


async def test_a_client_asks_for_the_task_list_the_servers_and_any_tool_by_name(chat: ChatClient) -> None:
    thread_id = thread_of(await chat.create("list the files"))
    (listed,) = items(await chat.events(action(thread_id, "voice_kernel.show_tasks", {})))
    assert listed.widget.type == "ListView"
    (servers,) = items(await chat.events(action(thread_id, "voice_kernel.show_servers", {})))
    assert "MCP server" in servers.model_dump_json()
    by_name = await chat.events(action(thread_id, "run_shell", {"command": "echo by name"}))
    assert "by name" in items(by_name, "widget")[0].model_dump_json()


async def until_running(chat: ChatClient, title: str) -> int:
    """Wait for a task to run: what has just been shown may still be queued."""

    def found(body: Any) -> list[int]:
        return [one["id"] for one in body["tasks"] if one["state"] == "running" and title in one["title"]]

    (task_id,) = await eventually(chat, "/api/tasks", found)
    return int(task_id)


async def test_a_task_is_cancelled_by_a_click_that_changes_its_own_widget(chat: ChatClient) -> None:
    stream = chat.stream(
        ThreadsCreateReq(params=ThreadCreateParams(input=user_message("run the command sleep 600")))
    )
    thread_id, workflow = "", None
    rest: list[Any] = []
    async for event in stream:
        rest.append(event)
        if event.type == "thread.created":
            thread_id = event.thread.id
        if event.type == "thread.item.added" and event.item.type == "workflow":
            workflow = event.item
            task_id = await until_running(chat, "sleep 600")
            (shown,) = items(await chat.events(action(thread_id, "voice_kernel.show_tasks", {})))
            params = ThreadCustomActionParams(
                thread_id=thread_id,
                item_id=shown.id,
                action=Action(type="voice_kernel.cancel_task", payload={"task_id": task_id}),
            )
            changed = await chat.ask(ThreadsSyncCustomActionReq(params=params))
            assert "Cancelled" in json.dumps(changed["updated_item"])
    assert workflow is not None
    assert "cancelled" in items(rest, "workflow")[-1].workflow.summary.title


# ---- streams that are closed ----------------------------------------------------------------------


GRACE_S = 10.0
"""For the tests in which a page must come back before a turn is cancelled."""


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("patient")
    (folder / "work").mkdir()
    (folder / "work" / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    (folder / "work" / "last.txt").write_text("all of it\n")
    with server(
        folder, setup=f"from voice_kernel.server import app; app.CLOSE_GRACE_S = {GRACE_S}"
    ) as running:
        yield running


async def left_in_the_middle(chat: ChatClient, words: str) -> str:
    """Say what begins with the command `pwd`, and close the stream when that is told; returns the thread."""
    thread_id = ""
    request = ThreadsCreateReq(params=ThreadCreateParams(input=user_message(words)))
    stream = chat.stream(request)
    async for event in stream:
        if event.type == "thread.created":
            thread_id = event.thread.id
        if str(chat.served.folder) in event.model_dump_json():
            break
    await stream.aclose()
    return thread_id


async def kept_answer(chat: ChatClient, thread_id: str) -> list[dict[str, Any]]:
    give_up_at = time.monotonic() + WAIT_S
    while True:
        found: list[dict[str, Any]] = (await item_list(chat, thread_id, order="asc", limit=50))["data"]
        if any(item["type"] == "assistant_message" for item in found):
            return found
        assert time.monotonic() < give_up_at, found
        await asyncio.sleep(0.05)


async def test_a_client_that_vanishes_loses_nothing(patient: Served) -> None:
    async with client(patient) as chat:
        thread_id = await left_in_the_middle(chat, "run the command pwd; sleep 0.5; cat last.txt")
        kept = await kept_answer(chat, thread_id)
    assert [item["type"] for item in kept] == ["user_message", "workflow", "widget", "assistant_message"]
    assert "all of it" in json.dumps(kept)


async def test_closing_the_stream_cancels_and_says_so_in_the_thread(served: Served) -> None:
    async with client(served) as quiet:  # one that does not look at the thread meanwhile
        thread_id = await left_in_the_middle(quiet, "run the command pwd; sleep 600")
        await eventually(
            quiet, "/api/tasks", lambda body: [t for t in body["tasks"] if t["state"] == "cancelled"]
        )
        kept = await kept_answer(quiet, thread_id)
        assert "1 task: 1 cancelled" in json.dumps(kept)
        assert str(quiet.served.folder) in json.dumps(kept)


async def test_a_page_that_is_loaded_again_does_not_cancel(patient: Served) -> None:
    async with client(patient) as chat:
        words = f"run the command pwd; sleep {GRACE_S + 2:.0f}; cat last.txt"
        thread_id = await left_in_the_middle(chat, words)
        await chat.ask(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_id)))
        assert "all of it" in json.dumps(await kept_answer(chat, thread_id))


# ---- files, sound, feedback -----------------------------------------------------------------------


async def test_a_file_is_sent_at_once_and_belongs_to_its_message(chat: ChatClient) -> None:
    sent = await chat.http.post(
        "/api/attachments", headers=chat.headers, files={"file": ("notes.txt", b"remember", "text/plain")}
    )
    assert sent.status_code == 200, sent.text
    attachment = sent.json()
    assert (attachment["type"], attachment["name"]) == ("file", "notes.txt")
    assert "metadata" not in attachment
    events = await chat.create("list tasks", attachments=[attachment["id"]])
    (message,) = items(events, "user_message")
    assert message.attachments[0].thread_id == thread_of(events)


async def test_a_picture_is_announced_put_at_its_address_and_seen(chat: ChatClient) -> None:
    params = AttachmentCreateParams(name="dot.png", size=len(PIXEL), mime_type="image/png")
    announced = await chat.ask(AttachmentsCreateReq(params=params))
    where = announced["upload_descriptor"]
    assert where["method"] == "PUT"
    wrong = await chat.http.put(where["url"][:-4] + "0000", content=PIXEL)
    assert wrong.status_code == 403
    assert (await chat.http.put(where["url"], content=PIXEL + b"more")).status_code == 413
    assert (await chat.http.put(where["url"], content=PIXEL)).status_code == 204
    assert (await chat.http.put(where["url"], content=PIXEL)).status_code == 409
    seen = await chat.http.get(announced["preview_url"])
    assert (seen.content, seen.headers["content-type"]) == (PIXEL, "image/png")
    deleted = AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id=announced["id"]))
    assert await chat.ask(deleted) == {}
    assert (await chat.http.get(announced["preview_url"])).status_code == 404


async def test_a_recording_becomes_text_and_nothing_is_done(chat: ChatClient) -> None:
    before = await known_tasks(chat)
    sound = base64.b64encode((Path(__file__).parents[1] / "browser" / "run_the_tests.wav").read_bytes())
    params = InputTranscribeParams(audio_base64=sound.decode(), mime_type="audio/webm;codecs=opus")
    heard = await chat.ask(InputTranscribeReq(params=params))
    assert "tests" in heard["text"].lower()
    noise = InputTranscribeParams(audio_base64=base64.b64encode(b"no sound").decode(), mime_type="audio/webm")
    refused = await chat.post(InputTranscribeReq(params=noise))
    assert refused.status_code == 422
    assert refused.json()["error"]["message"]
    assert await known_tasks(chat) == before


async def known_tasks(chat: ChatClient) -> list[int]:
    body = (await chat.http.get("/api/tasks", headers=chat.headers)).json()
    return [task["id"] for task in body["tasks"]]


async def test_feedback_is_taken(chat: ChatClient) -> None:
    events = await chat.create("list tasks")
    (said,) = items(events, "assistant_message")
    params = ItemFeedbackParams(thread_id=thread_of(events), item_ids=[said.id], kind="positive")
    assert await chat.ask(ItemsFeedbackReq(params=params)) == {}


# ---- tasks and servers ----------------------------------------------------------------------------


async def test_tasks_are_listed_followed_and_done_again(chat: ChatClient) -> None:
    await chat.create("run the command echo from the list")
    tasks = (await chat.http.get("/api/tasks", headers=chat.headers)).json()["tasks"]
    task = next(task for task in tasks if "from the list" in task["title"])
    told: list[dict[str, Any]] = []
    async with chat.http.stream("GET", "/api/tasks/events", headers=chat.headers) as reply:
        lines = reply.aiter_lines()
        async for line in lines:
            if line == "event: ready":
                break
        again = await chat.http.post(f"/api/tasks/{task['id']}/retry", headers=chat.headers)
        assert again.status_code == 202
        number = again.json()["tasks"][0]["id"]
        async for line in lines:
            if line.startswith("data: ") and f'"id":{number},' in line:
                told.append(json.loads(line[6:]))
                if told[-1].get("task", {}).get("state") == "succeeded":
                    break
    assert told[-1]["task"]["id"] == number
    missing = await chat.http.post("/api/tasks/4096/cancel", headers=chat.headers)
    assert missing.status_code == 404


async def test_mcp_servers_are_listed_and_one_that_is_not_there_is_said(chat: ChatClient) -> None:
    listed = (await chat.http.get("/api/mcp", headers=chat.headers)).json()
    assert listed["servers"] == []
    started = await chat.http.post("/api/mcp/nowhere/start", headers=chat.headers)
    assert started.status_code == 202
    assert started.json()["turn"]["state"] in ("failed", "running")
    tools = await chat.http.get("/api/mcp/nowhere/tools", headers=chat.headers)
    assert tools.status_code == 404


# ---- refusals -------------------------------------------------------------------------------------


async def test_nothing_is_answered_without_a_good_secret(chat: ChatClient) -> None:
    request = ThreadsListReq(params=ThreadListParams()).model_dump_json()
    for headers in ({}, {"authorization": "Bearer no"}, {"authorization": f"Bearer {chat.served.token}"}):
        refused = await chat.http.post("/api/chatkit", content=request, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["error"]["type"] == "unauthorized"
    for path in ("/api/tasks", "/api/mcp", "/api/tasks/events", "/api/panel/x/events"):
        assert (await chat.http.get(path)).status_code == 401
    assert (await chat.http.post("/api/create-session")).status_code == 401
    next_one = await chat.http.post("/api/create-session", headers=chat.headers)
    assert next_one.json()["session_id"] == chat.session_id
    assert next_one.json()["client_secret"] != chat.secret
    assert next_one.json()["expires_at"] > time.time()


async def test_pages_of_other_hosts_and_origins_are_refused_and_allowed_ones_are_not(
    chat: ChatClient,
) -> None:
    request = ThreadsListReq(params=ThreadListParams()).model_dump_json()

    async def status(**headers: str) -> int:
        reply = await chat.http.post("/api/chatkit", content=request, headers=chat.headers | headers)
        return reply.status_code

    assert await status(host="evil.example") == 403
    assert await status(origin="http://evil.example") == 403
    assert await status(origin="null") == 403
    assert await status(origin=chat.served.address) == 200
    assert await status(origin="http://localhost:5173") == 200
    asked = await chat.http.options("/api/chatkit", headers={"origin": "http://localhost:5173"})
    assert asked.headers["access-control-allow-origin"] == "http://localhost:5173"


async def test_oversize_and_malformed_requests_are_refused_in_words(chat: ChatClient) -> None:
    async def said(content: bytes, path: str = "/api/chatkit") -> tuple[int, str]:
        reply = await chat.http.post(path, content=content, headers=chat.headers)
        return reply.status_code, reply.json()["error"]["message"]

    assert (await said(b"{"))[0] == 400
    assert (await said(b'{"type": "threads.dance", "params": {}}'))[0] == 400
    assert (await said(b'{"type": "threads.list", "params": {"order": "up"}}'))[0] == 400
    assert (await said(b'{"type": "threads.add_user_message", "params": {}}'))[0] == 400
    assert (await said(b" " * 12_000_001))[0] == 413
    assert (await said(b"\x00\x00", "/api/panel/x"))[0] == 400
    assert (await said(b" " * 8_100_000, "/api/attachments"))[0] == 413
    nowhere = ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id="thr_nowhere"))
    assert (await chat.post(nowhere)).status_code == 404
    thread_id = thread_of(await chat.create("list tasks"))
    output = ThreadsAddClientToolOutputReq(
        params=ThreadAddClientToolOutputParams(thread_id=thread_id, result={})
    )
    assert (await chat.post(output)).status_code == 409


async def test_who_asks_too_often_is_told_to_wait(served: Served) -> None:
    async with client(served, "hasty") as hasty:
        request = ThreadsListReq(params=ThreadListParams())
        refused: list[httpx.Response] = []
        give_up_at = time.monotonic() + WAIT_S
        while not refused:  # a server that is slow has forgiven some when the last are sent
            assert time.monotonic() < give_up_at
            replies = await asyncio.gather(*(hasty.post(request) for _ in range(150)))
            assert {reply.status_code for reply in replies} <= {200, 429}
            refused = [reply for reply in replies if reply.status_code == 429]
        assert int(refused[0].headers["retry-after"]) >= 1


async def test_the_documentation_names_every_route(chat: ChatClient) -> None:
    document = (await chat.http.get("/api/openapi.json")).json()
    assert {"/api/chatkit", "/api/create-session", "/api/tasks", "/api/mcp"} <= set(document["paths"])
    defined = set(document["components"]["schemas"])
    used = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert used <= defined
    health = (await chat.http.get("/api/health")).json()
    assert health["status"] == "ok"


# ---- kernels --------------------------------------------------------------------------------------


async def test_a_kernel_that_dies_is_said_and_the_next_message_gets_another(served: Served) -> None:
    before = set(served.kernels())
    async with client(served, "unlucky") as chat:
        thread_id = thread_of(await chat.create("list tasks"))
        (kernel,) = set(served.kernels()) - before
        params = ThreadAddUserMessageParams(
            thread_id=thread_id, input=user_message("run the command sleep 600")
        )
        told: list[Any] = []
        async for event in chat.stream(ThreadsAddUserMessageReq(params=params)):
            told.append(event)
            if event.type == "thread.item.added" and event.item.type == "workflow":
                os.kill(kernel, signal.SIGKILL)
        assert "died" in next(event for event in told if event.type == "error").message
        assert items(told, "workflow")
        assert "1 file" in answer(await chat.add(thread_id, "list the files"))


def test_every_kernel_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    import psutil

    with server(tmp_path) as served:

        async def begin() -> None:
            async with client(served) as chat:
                await chat.create("list tasks")

        asyncio.run(begin())
        kernels = [psutil.Process(pid) for pid in served.kernels()]
        assert kernels
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        _, alive = psutil.wait_procs(kernels, WAIT_S)
        assert not alive


async def test_a_hundred_clients_at_once_lose_nothing_and_hear_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    with attached_server(tmp_path, "marker = 'of the notebook'") as (served, kernel):
        async with http_client(served, limits=httpx.Limits(max_connections=200)) as http:
            clients = [await ChatClient(served, http).open(f"user{number}") for number in range(100)]

            async def speak(number: int) -> None:
                events = await clients[number].create(f"run the command echo mine is {number} only")
                told = [event.model_dump_json() for event in events]
                mine = f"mine is {number} only"
                assert all("mine is" not in event or mine in event for event in told)
                assert [mine in one.copy_text for one in items(events, "widget")] == [True], told[3:]
                assert answer(events).startswith("Exit 0")
                page = await item_list(clients[number], thread_of(events), limit=50)
                assert {item["id"] for item in page["data"]} == {item.id for item in items(events)}

            await asyncio.gather(*(speak(number) for number in range(100)))
        served.process.send_signal(signal.SIGINT)
        served.process.wait(WAIT_S)
        assert kernel.is_idle  # it is its notebook's, and goes on
        assert kernel.value("marker") == "'of the notebook'"


# ---- tools of a notebook --------------------------------------------------------------------------

TOOLS = """
import voice_kernel
from voice_kernel import tool

def board(count):
    click = {"type": "count_up", "payload": {"by": 2}}
    return {"type": "Card", "children": [
        {"type": "Text", "id": "count", "value": f"counted {count}"},
        {"type": "Button", "key": "more", "label": "More", "onClickAction": click},
    ]}

counted = 0

@tool(sentences="show the counter")
def show_counter(ctx):
    "Show the counter."
    ctx.stream_widget(board(counted))

@voice_kernel.action("count_up")
def count_up(ctx, by: int):
    "Count."
    global counted
    counted += by
    ctx.output("clicked in " + ctx.item_id)
    ctx.update_widget(board(counted))

@tool(sentences="remember this page")
def remember_page():
    "Let the page remember itself."
    return {"client_tool": "save_fact", "arguments": {"fact": "Ada likes maps"}}

@tool(sentences="turn the page dark")
def go_dark():
    "Let the page be dark."
    return {"client_effect": "set_theme", "data": {"theme": "dark"}}
"""


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with attached_server(tmp_path_factory.mktemp("attached"), TOOLS) as (running, _):
        yield running


async def test_a_widget_of_a_tool_is_shown_and_its_button_changes_it(attached: Served) -> None:
    async with client(attached) as chat:
        events = await chat.create("show the counter")
        (shown,) = items(events, "widget")
        assert "counted 0" in shown.model_dump_json()
        clicked = await chat.events(action(thread_of(events), "count_up", {"by": 2}, shown.id))
        (changed,) = [event.item for event in clicked if event.type == "thread.item.replaced"]
        assert changed.id == shown.id
        assert "counted 2" in changed.model_dump_json()
        tasks = (await chat.http.get("/api/tasks", headers=chat.headers)).json()["tasks"]
        assert "clicked in more" in tasks[-1]["tail"]
        kept = await item_list(chat, thread_of(events), limit=50)
        assert "counted 2" in json.dumps(next(one for one in kept["data"] if one["id"] == shown.id))
        wrong = await chat.events(action(thread_of(events), "drop_tables", {}, shown.id))
        assert "changed" in next(event for event in wrong if event.type == "error").message


async def test_a_tool_asks_the_page_to_do_something_and_is_told_what_came_of_it(attached: Served) -> None:
    async with client(attached) as chat:
        events = await chat.create("remember this page")
        (call,) = items(events, "client_tool_call")
        assert (call.name, call.arguments, call.status) == (
            "save_fact",
            {"fact": "Ada likes maps"},
            "pending",
        )
        params = ThreadAddClientToolOutputParams(thread_id=thread_of(events), result={"saved": True})
        after = await chat.events(ThreadsAddClientToolOutputReq(params=params))
        assert "save_fact" in answer(after)
        kept = await item_list(chat, thread_of(events), limit=50)
        done = next(item for item in kept["data"] if item["type"] == "client_tool_call")
        assert (done["status"], done["output"]) == ("completed", {"saved": True})
        dark = await chat.add(thread_of(events), "turn the page dark")
        effects = {event.name: event.data for event in dark if event.type == "client_effect"}
        assert effects["set_theme"] == {"theme": "dark"}


async def test_there_are_so_many_kernels_at_most_and_an_unused_one_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    words = user_message("run the command sleep 600")
    request = ThreadsCreateReq(params=ThreadCreateParams(input=words))

    async def cancel(chat: ChatClient) -> None:
        task_id = await until_running(chat, "sleep 600")
        await chat.http.post(f"/api/tasks/{task_id}/cancel", headers=chat.headers)

    with server(tmp_path, "--kernels", "1", "--idle", "0.03") as served:
        async with client(served, "first") as first, client(served, "second") as second:
            async for event in first.stream(request):
                if event.type == "thread.item.added" and event.item.type == "workflow":
                    refused = await second.create("list tasks")
                    told = next(one for one in refused if one.type == "error")
                    assert "in use" in told.message
                    assert told.allow_retry
                    await cancel(first)
            async for event in second.stream(request):  # the first one's kernel makes room for it
                if event.type == "thread.item.added" and event.item.type == "workflow":
                    assert len(served.kernels()) == 1
                    await cancel(second)
        give_up_at = time.monotonic() + WAIT_S
        while served.kernels():
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.1)


async def test_a_message_that_is_tried_again_while_it_waits_asks_only_once(chat: ChatClient) -> None:
    events = await chat.create(ASKS)
    thread_id, message = thread_of(events), items(events, "user_message")[0]
    params = ThreadRetryAfterItemParams(thread_id=thread_id, item_id=message.id)
    again = await chat.events(ThreadsRetryAfterItemReq(params=params))
    card = items(again, "widget")[-1]
    assert items(await chat.events(pressed(thread_id, card, "cancel")), "assistant_message")
    kept = await item_list(chat, thread_id, limit=50)
    assert [item["type"] for item in kept["data"]].count("assistant_message") == 1


async def test_a_form_of_an_mcp_server_is_structured_input_and_servers_are_started_and_stopped(
    tmp_path: Path,
) -> None:
    program = Path(__file__).parents[1] / "mcp_server.py"
    entry = {"command": sys.executable, "args": [str(program), "", f"mark-{os.getpid()}-http"]}
    kept = tmp_path / "data" / "voice_kernel" / "mcp.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"mcpServers": {"helper": entry}}))
    with server(tmp_path) as served:
        async with client(served) as chat:
            listed = (await chat.http.get("/api/mcp", headers=chat.headers)).json()["servers"]
            assert [(one["name"], one["state"]) for one in listed] == [("helper", "stopped")]
            started = await chat.http.post("/api/mcp/helper/start", headers=chat.headers)
            assert started.status_code == 202, started.text
            await eventually(
                chat, "/api/mcp", lambda body: body["servers"][0]["state"] == "running" and body["servers"]
            )
            tools = (await chat.http.get("/api/mcp/helper/tools", headers=chat.headers)).json()["tools"]
            assert "book" in {tool["name"] for tool in tools}

            events = await chat.create("use the helper server to book")
            while not items(events, "structured_input"):
                card = items(events, "widget")[-1]  # the server is asked about first
                events = await chat.events(pressed(card.thread_id, card, "confirm"))
            (form,) = items(events, "structured_input")
            assert [part.id for part in form.inputs] == ["guests", "when"]
            submission = StructuredInputSubmission(
                answers={
                    "guests": StructuredInputAnswerSubmission(values=["4"]),
                    "when": StructuredInputAnswerSubmission(values=["tonight"]),
                }
            )
            params = ThreadAddStructuredInputParams(
                thread_id=form.thread_id, item_id=form.id, input=submission
            )
            after = await chat.events(ThreadsAddStructuredInputReq(params=params))
            replaced = [event.item for event in after if event.type == "thread.item.replaced"]
            assert (replaced[0].id, replaced[0].status) == (form.id, "answered")
            assert "accept: 4 at tonight" in json.dumps([event.model_dump(mode="json") for event in after])
            again = await chat.post(ThreadsAddStructuredInputReq(params=params))
            assert again.status_code == 409

            await chat.http.post("/api/mcp/helper/stop", headers=chat.headers)
            await eventually(
                chat, "/api/mcp", lambda body: body["servers"][0]["state"] == "stopped" and body["servers"]
            )


async def test_each_thread_is_a_conversation_of_its_own_in_the_history(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        async with client(served) as chat:
            first = thread_of(await chat.create("list the files"))
            second = thread_of(await chat.create("list tasks"))
            await chat.add(first, "show the history")
            await chat.add(second, "help")
            await asyncio.gather(*(chat.add(one, "list tasks") for one in (first, second) * 3))
    with History("", tmp_path / "data" / "voice_kernel") as history:
        said = [
            [turn.text for turn in conversation.turns]
            for thread in history.threads()[0]
            if (conversation := history.conversation(thread_id=thread.id)) is not None
        ]
    more = ["list tasks"] * 3
    assert sorted(said) == [["list tasks", "help", *more], ["list the files", "show the history", *more]]


async def test_where_nothing_is_kept_no_message_waits_for_its_conversation(tmp_path: Path) -> None:
    for_ever = "from voice_kernel.server import line; line.SWITCH_LIMIT_S = 600"
    with server(tmp_path, environment={"VOICE_KERNEL_KEEP_HISTORY": "false"}, setup=for_ever) as served:
        async with asyncio.timeout(WAIT_S), client(served) as chat:
            first = thread_of(await chat.create("list the files"))
            second = thread_of(await chat.create("list tasks"))
            assert answer(await chat.add(first, "list tasks"))
            assert answer(await chat.add(second, "list tasks"))


async def test_a_model_streams_its_answer_reads_a_file_and_knows_only_its_own_thread(
    tmp_path: Path,
) -> None:
    with serve_model() as model:
        settings = {
            "VOICE_KERNEL_BASE_URL": model.url,
            "MODEL": "scripted",
            "VOICE_KERNEL_MODEL_SHARE": "always",
            "VOICE_KERNEL_CONFIG": str(tmp_path / "none.toml"),
        }
        with server(tmp_path, environment=settings) as served:
            async with client(served) as chat:
                model.says("Maps are old.", "The note says marmalade.", "They are very old.")
                events = await chat.create("tell me why anybody would like old maps")
                assert answer(events) == "Maps are old."
                maps = thread_of(events)
                sent = await chat.http.post(
                    "/api/attachments",
                    headers=chat.headers,
                    files={"file": ("note.txt", b"buy marmalade", "text/plain")},
                )
                note = await chat.create(
                    "what should I buy according to this", attachments=[sent.json()["id"]]
                )
                assert "marmalade" in answer(note)
                assert "buy marmalade" in str(model.asked[1])
                assert "maps" not in str(model.asked[1])
                await chat.add(maps, "and how old would you say they are")
                assert "why anybody would like old maps" in str(model.asked[2])
                assert "marmalade" not in str(model.asked[2])
