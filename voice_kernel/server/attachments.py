"""Files that clients send: their bytes on disk, what is known of them in the store.

Both of ChatKit's ways: at once (`POST /api/attachments`), or announced first and put at an address of their
own afterwards. A file belongs to its user; it is given to the kernel with the message that has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)
from pydantic import AnyUrl

from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.server.store import Caller, new_name

MAX_BYTES = 8_000_000
"""What a session takes in one file."""
MAX_OF_USER = 256_000_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Kinds that are shown as they are; nothing that could hold a script."""


class NotTaken(VoiceKernelError):
    """A file is too large, or too many are kept already."""


class Files(AttachmentStore[Caller]):
    """The files of all users.

    Args:
        folder: where they are kept.
        key_of: the key to an address of this server.
    """

    def __init__(self, folder: Path, key_of: Callable[[str], str]) -> None:
        self._folder = folder
        self._key_of = key_of

    def generate_attachment_id(self, mime_type: str, context: Caller) -> str:
        """Return a new name for a file, which nobody can guess."""
        return new_name("attachment")

    async def create_attachment(self, input: AttachmentCreateParams, context: Caller) -> Attachment:  # noqa: A002  ChatKit's name
        """Take note of a file that is going to be put at its address.

        Raises:
            NotTaken: it is too large.
        """
        if not 0 <= input.size <= MAX_BYTES:
            raise too_large(input.name)
        return self.made(self.generate_attachment_id(input.mime_type, context), input, context, here=False)

    def made(
        self, attachment_id: str, params: AttachmentCreateParams, context: Caller, *, here: bool
    ) -> Attachment:
        """Return what is told of a file.

        Args:
            attachment_id: its name.
            params: what the client says of it.
            context: whose it is.
            here: whether its bytes are here already.
        """
        user, name = quote(context.user_id, safe=""), params.name[:200] or "file"
        address = f"{context.base_url}/api/attachments/{user}/{attachment_id}"
        descriptor = None
        if not here:
            key = self._key_of(f"put {context.user_id} {attachment_id}")
            descriptor = AttachmentUploadDescriptor(url=AnyUrl(f"{address}?key={key}"), method="PUT")
        about = {"size": params.size}
        if params.mime_type in PICTURES:
            key = self._key_of(f"get {context.user_id} {attachment_id}")
            return ImageAttachment(
                id=attachment_id,
                name=name,
                mime_type=params.mime_type,
                preview_url=AnyUrl(f"{address}?key={key}"),
                upload_descriptor=descriptor,
                metadata=about,
            )
        return FileAttachment(
            id=attachment_id,
            name=name,
            mime_type=params.mime_type,
            upload_descriptor=descriptor,
            metadata=about,
        )

    async def delete_attachment(self, attachment_id: str, context: Caller) -> None:
        """Delete a file, if it is there."""
        await asyncio.to_thread(self._path(context.user_id, attachment_id).unlink, missing_ok=True)

    async def write(self, user_id: str, attachment_id: str, data: bytes) -> None:
        """Keep the bytes of a file.

        Raises:
            NotTaken: it is too large, or the user has too many.
        """
        if len(data) > MAX_BYTES:
            raise too_large(attachment_id)
        await asyncio.to_thread(self._write, user_id, attachment_id, data)

    async def read(self, user_id: str, attachment_id: str) -> bytes | None:
        """Return the bytes of a file; None where there are none."""
        try:
            return await asyncio.to_thread(self._path(user_id, attachment_id).read_bytes)
        except FileNotFoundError:
            return None

    def _write(self, user_id: str, attachment_id: str, data: bytes) -> None:
        path = self._path(user_id, attachment_id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = sum(other.stat().st_size for other in path.parent.iterdir() if other != path)
        if kept + len(data) > MAX_OF_USER:
            raise NotTaken(
                _("There is no room for more files."), hint=_("Delete conversations that have some.")
            )
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.replace(path)

    def _path(self, user_id: str, attachment_id: str) -> Path:
        # By hash: a name that a client chose never names a file here.
        user, name = (hashlib.sha256(text.encode()).hexdigest()[:32] for text in (user_id, attachment_id))
        return self._folder / user / name

    def clear(self) -> None:
        """Delete all of them."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder)


def too_large(name: str) -> NotTaken:
    """Return the error for a file that is too large."""
    words = _("{name} is too large: {size} MB at most.")
    return NotTaken(words.format(name=name[:200], size=MAX_BYTES // 1_000_000))
