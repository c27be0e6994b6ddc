"""A client secret that has ended is good for nothing, and the server's token gets another."""

from __future__ import annotations

import asyncio
import time

import httpx

from voice_kernel.server.run import Options, assembled
from voice_kernel.settings import Settings

LIST = b'{"type": "threads.list", "params": {}}'
LIMIT_S = 20.0


async def test_a_secret_ends_and_cannot_renew_itself() -> None:
    app, token = assembled(Options(life_s=2.0), Settings(keep_history=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:

        async def secret_for(given: str) -> httpx.Response:
            return await http.post("/api/create-session", headers={"authorization": f"Bearer {given}"})

        async def status(given: str) -> int:
            headers = {"authorization": f"Bearer {given}"}
            return (await http.post("/api/chatkit", content=LIST, headers=headers)).status_code

        await status((await secret_for(token)).json()["client_secret"])  # the database is opened with it
        secret = (await secret_for(token)).json()["client_secret"]
        assert await status(secret) == 200
        renewed = (await secret_for(secret)).json()["client_secret"]
        assert await status(renewed) == 200
        give_up_at = time.monotonic() + LIMIT_S
        while await status(secret) != 401:
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.05)
        assert (await secret_for(secret)).status_code == 401
        assert await status((await secret_for(token)).json()["client_secret"]) == 200
