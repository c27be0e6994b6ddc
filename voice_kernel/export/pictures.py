"""The images among a task's outputs: what they are called, and how a page refers to them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from voice_kernel.messages import Task

SUFFIXES = {
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/svg+xml": "svg",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One image."""

    name: str
    """A file name that no other picture of the page has."""
    mime: str
    data: bytes
    label: str
    """What stands for it where it cannot be seen."""

    @property
    def uri(self) -> str:
        """The image itself as an address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass
class Pictures:
    """The images of a page.

    Attributes:
        folder: where their files will be, as the page refers to it; None puts them into the page itself.
        found: the pictures so far, for whoever writes the files.
    """

    folder: str | None = None
    found: list[Picture] = field(default_factory=list)

    def of(self, task: Task) -> list[Picture]:
        """Return a task's images."""
        pictures = [
            Picture(f"task-{task.id}-{number}.{SUFFIXES[mime]}", mime, data, label)
            for number, (mime, data, label) in enumerate(_images(task), 1)
        ]
        self.found += pictures
        return pictures

    def address(self, picture: Picture) -> str:
        """Return how the page refers to a picture."""
        return picture.uri if self.folder is None else quote(f"{self.folder}/{picture.name}")


def _images(task: Task) -> Iterator[tuple[str, bytes, str]]:
    for output in task.result.outputs if task.result is not None else ():
        mime = next((mime for mime in SUFFIXES if output.data.get(mime)), "")
        if not mime:
            continue
        label = output.data.get("text/plain", "") or "figure"
        if mime == "image/svg+xml":
            yield mime, output.data[mime].encode(), label
            continue
        try:
            yield mime, base64.b64decode("".join(output.data[mime].split()), validate=True), label
        except (binascii.Error, ValueError):
            continue  # damaged: it could not be shown before, either
