"""A client secret that has ended is good for nothing, and the server's token gets another."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from voice_kernel.server.run import Options, assembled
from voice_kernel.server.secrets import Secrets
from voice_kernel.settings import Settings

LIST = b'{"type": "threads.list", "params": {}}'


async def test_a_secret_ends_and_cannot_renew_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("voice_kernel.server.run.Secrets", partial(Secrets, now=lambda: now))
    app, token = assembled(Options(life_s=60.0), Settings(keep_history=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:

        async def secret_for(given: str) -> httpx.Response:
            return await http.post("/api/create-session", headers={"authorization": f"Bearer {given}"})

        async def status(given: str) -> int:
            headers = {"authorization": f"Bearer {given}"}
            return (await http.post("/api/chatkit", content=LIST, headers=headers)).status_code

        secret = (await secret_for(token)).json()["client_secret"]
        assert await status(secret) == 200
        renewed = (await secret_for(secret)).json()["client_secret"]
        assert await status(renewed) == 200
        now += 60
        assert await status(secret) == 401
        assert (await secret_for(secret)).status_code == 401
        assert await status((await secret_for(token)).json()["client_secret"]) == 200
