"""A speech engine as a package of its own: it hears one sentence in whatever is said."""

from __future__ import annotations

from voice_kernel.errors import EngineUnavailable
from voice_kernel.speech.transcriber import EngineOptions, Transcript


class Parrot:
    name = "parrot"
    sent_to = ""

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self.loaded = False

    async def load(self) -> None:
        if self.options.language != "en":
            raise EngineUnavailable(f"The parrot does not speak {self.options.language!r}.")
        self.loaded = True

    def open(self, *, rate_hz, context=None, expect="command", on_partial=None, understands=None):
        return Talk(self, rate_hz, on_partial)

    async def close(self) -> None:
        self.loaded = False


class Talk:
    def __init__(self, parrot: Parrot, rate_hz: int, on_partial) -> None:
        self.parrot, self.rate_hz, self.on_partial = parrot, rate_hz, on_partial
        self.bytes = 0

    def feed(self, pcm: bytes) -> None:
        self.bytes += len(pcm)
        if self.on_partial is not None:
            self.on_partial("run the")

    async def finish(self) -> Transcript:
        await self.parrot.load()
        text = self.parrot.options.model or "run the tests"
        return Transcript(text, self.bytes / 2 / self.rate_hz, 0.0, "parrot")

    def discard(self) -> None:
        pass


def make(options: EngineOptions) -> Parrot:
    return Parrot(options)


def make_broken(options: EngineOptions) -> Parrot:
    raise RuntimeError("no beak")


def make_other(options: EngineOptions) -> object:
    return object()
