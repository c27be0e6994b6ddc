"""What a piece of code puts out: recorded in order and within caps, shown or kept from the cell.

Where a Jupyter kernel offers hooks (streams, displays, results) they are used; where it offers none (a
terminal, an older ipykernel, tracebacks everywhere) the object itself is stood in for, and put back
afterwards. Which message belongs to the job is decided by its parent: a cell, a job in idle time and a
comm message that is handled in between have different ones.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TextIO

from voice_kernel.language import _, number
from voice_kernel.messages import Output

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MAX_OUTPUT_BYTES = 2_000_000
MAX_TOTAL_BYTES = 8_000_000
MAX_OUTPUTS = 500
MAX_TRACEBACK_BYTES = 100_000

Message = dict[str, Any]
Kind = Literal["stream", "display", "result", "error"]
OnOutput = Callable[[Output], None]


@dataclass(slots=True)
class _Piece:
    kind: Kind
    texts: list[str] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)
    size: int = 0
    dropped: int = 0
    display_id: str = ""

    def output(self) -> Output:
        text = "".join(self.texts)
        if self.dropped:
            note = _("{count} more bytes were not kept").format(count=number(self.dropped))
            text += f"\n[{note}]\n"
        return Output(kind=self.kind, text=text, data=self.data)


class Recorder:
    """Collects outputs within the caps. Callable from any thread.

    Args:
        on_output: told of every output that is kept, as it comes; called on the thread it comes from.
    """

    def __init__(self, on_output: OnOutput | None = None) -> None:
        self._on_output = on_output
        self._lock = threading.Lock()
        self._pieces: list[_Piece] = []
        self._total = 0
        self._dropped_outputs = 0
        self._clear_next = False
        self._closed = False

    def stream(self, text: str) -> None:
        """Take text of a stream; it joins the stream text before it."""
        if not text:
            return
        text, size = _clean(text)
        with self._lock:
            last = self._begin()
            if last is None or last.kind != "stream":
                last = self._add(_Piece("stream"))
            if last is None:
                return
            kept, kept_size = _cut(
                text, size, min(MAX_OUTPUT_BYTES - last.size, MAX_TOTAL_BYTES - self._total)
            )
            last.dropped += size - kept_size
            if not kept:
                return
            last.texts.append(kept)
            self._grow(last, kept_size)
            self._tell(Output(kind="stream", text=kept))

    def bundle(self, kind: Kind, data: Mapping[str, Any], display_id: str = "") -> None:
        """Take a mime bundle."""
        with self._lock:
            self._begin()
            texts = _texts(data, min(MAX_OUTPUT_BYTES, MAX_TOTAL_BYTES - self._total))
            piece = self._add(_Piece(kind, data=texts, display_id=display_id))
            if piece is None:
                return
            self._grow(piece, sum(map(len, texts.values())))
            self._tell(piece.output())

    def update(self, data: Mapping[str, Any], display_id: str) -> None:
        """Take the new content of a display that came before."""
        with self._lock:
            for piece in self._pieces:
                if display_id and piece.display_id == display_id:
                    self._total -= piece.size
                    piece.data = _texts(data, min(MAX_OUTPUT_BYTES, MAX_TOTAL_BYTES - self._total))
                    piece.size = 0
                    self._grow(piece, sum(map(len, piece.data.values())))

    def error(self, traceback: str) -> None:
        """Take a formatted traceback."""
        text, size = _clean(traceback)
        with self._lock:
            self._begin()
            piece = self._add(_Piece("error"))
            if piece is None:
                return
            kept, kept_size = _cut(text, size, MAX_TRACEBACK_BYTES)
            piece.texts.append(kept)
            piece.dropped = size - kept_size
            self._grow(piece, kept_size)
            self._tell(piece.output())

    def clear(self, wait: bool) -> None:
        """Forget what came so far; with `wait`, when the next output comes."""
        with self._lock:
            if wait:
                self._clear_next = True
            else:
                self._forget()

    def finish(self) -> tuple[Output, ...]:
        """Return the outputs in order; what comes later is ignored."""
        with self._lock:
            self._closed = True
            outputs = [piece.output() for piece in self._pieces]
            if self._dropped_outputs:
                note = _("{count} more outputs were not kept").format(count=number(self._dropped_outputs))
                outputs.append(Output(kind="stream", text=f"[{note}]\n"))
            return tuple(outputs)

    def _begin(self) -> _Piece | None:
        if self._clear_next:
            self._forget()
        return self._pieces[-1] if self._pieces else None

    def _forget(self) -> None:
        self._clear_next = False
        self._pieces.clear()
        self._total = 0

    def _add(self, piece: _Piece) -> _Piece | None:
        if self._closed:
            return None
        if len(self._pieces) >= MAX_OUTPUTS:
            self._dropped_outputs += 1
            return None
        self._pieces.append(piece)
        return piece

    def _grow(self, piece: _Piece, size: int) -> None:
        piece.size += size
        self._total += size

    def _tell(self, output: Output) -> None:
        if self._on_output is not None and not self._closed:
            self._on_output(output)


def _clean(text: str) -> tuple[str, int]:
    """Return text that can be sent as UTF-8, and its size in bytes."""
    if text.isascii():
        return text, len(text)
    encoded = text.encode("utf-8", "replace")
    return encoded.decode(), len(encoded)


def _cut(text: str, size: int, limit: int) -> tuple[str, int]:
    if size <= limit:
        return text, size
    encoded = text.encode()[: max(0, limit)]
    kept = encoded.decode("utf-8", "ignore")
    return kept, len(kept.encode())


def _texts(data: Mapping[str, Any], limit: int) -> dict[str, str]:
    """Return a bundle as text of at most `limit` bytes, leaving out its largest parts first."""
    texts: dict[str, str] = {}
    for mime, value in data.items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        texts[str(mime)] = _clean(text)[0]
    sizes = {mime: len(text.encode()) for mime, text in texts.items()}
    left_out = 0
    while texts and sum(sizes[mime] for mime in texts) > limit:
        largest = max(texts, key=lambda mime: (mime != "text/plain", sizes[mime]))
        del texts[largest]
        left_out += sizes[largest]
    if left_out:
        note = _("{count} bytes were not kept").format(count=number(left_out))
        texts["text/plain"] = f"{texts.get('text/plain', '')}\n[{note}]".strip()
    return texts


class Capture:
    """Records what the main thread's code puts out while the context is open.

    Args:
        shell: the user's shell; the context is entered and left on its main thread.
        recorder: takes the outputs.
        parent: the request to which the outputs belong; None in a terminal.
        hide: whether the outputs are kept from whoever shows that request's outputs.
        code: the code that runs, for its trailing `;`.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        recorder: Recorder,
        *,
        parent: Message | None,
        hide: bool,
        code: str,
    ) -> None:
        self._shell: Any = shell  # what is hooked differs between shells and is looked for
        self._recorder = recorder
        self._parent = parent
        self._hide = hide
        self._code = code
        self._undo = ExitStack()
        self._paused = False

    def __enter__(self) -> Capture:
        _draw_figures()  # the cell's own, before ours
        _flush()
        with ExitStack() as undo:
            self._take_parent(undo)
            self._take_stream(undo, "stdout")
            self._take_stream(undo, "stderr")
            self._take_displays(undo)
            self._take_results(undo)
            self._take_tracebacks(undo)
            self._take_payloads(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        _flush()
        self._undo.close()

    # ---- parents ----------------------------------------------------------------------------------

    def _take_parent(self, undo: ExitStack) -> None:
        if self._parent is not None:
            before = self._shell.get_parent()
            self._shell.set_parent(self._parent)
            undo.callback(self._shell.set_parent, before)

    def _is_ours(self, message: Message) -> bool:
        parent = message.get("parent_header") or {}
        return self._parent is None or parent.get("msg_id") == self._parent["header"]["msg_id"]

    # ---- streams ----------------------------------------------------------------------------------

    def _take_stream(self, undo: ExitStack, name: str) -> None:
        stream = getattr(sys, name)
        thread = getattr(stream, "pub_thread", None)
        if self._parent is not None and thread is not None and hasattr(stream, "register_hook"):
            # Hooks belong to the thread that flushes; scheduling keeps them in order with the flushes.
            thread.schedule(lambda: stream.register_hook(self._on_stream))
            undo.callback(thread.schedule, lambda: stream.unregister_hook(self._on_stream))
        else:
            setattr(sys, name, _Tee(stream, self))
            undo.callback(setattr, sys, name, stream)

    def _on_stream(self, message: Message) -> Message:
        if self._is_ours(message):
            self._recorder.stream(message["content"]["text"])
            if self._hide:
                # Returning None would make ipykernel drop what other cells wrote at the same time.
                message["content"]["text"] = ""
        return message

    def wrote(self, text: str) -> bool:
        """Take what was written to a stream without hooks; return whether it may also go there."""
        if not self._paused:
            self._recorder.stream(text)
        return not self._hide

    # ---- displays ---------------------------------------------------------------------------------

    def _take_displays(self, undo: ExitStack) -> None:
        publisher = self._shell.display_pub
        if self._parent is not None and hasattr(publisher, "register_hook"):
            publisher.register_hook(self._on_display)
            undo.callback(publisher.unregister_hook, self._on_display)
        else:
            self._shell.display_pub = _publisher(publisher, self)
            undo.callback(setattr, self._shell, "display_pub", publisher)

    def _on_display(self, message: Message) -> Message | None:
        if not self._is_ours(message):
            return message
        content = message["content"]
        match message["header"]["msg_type"]:
            case "display_data":
                self._recorder.bundle("display", content["data"], _display_id(content))
            case "update_display_data":
                self._recorder.update(content["data"], _display_id(content))
            case "clear_output":
                self._recorder.clear(bool(content.get("wait")))
        return None if self._hide else message

    def displayed(
        self,
        data: Mapping[str, Any],
        transient: Mapping[str, Any],
        update: bool,
        show: Callable[[], None],
    ) -> None:
        """Take what was displayed without hooks, and show it if that is wanted."""
        _flush()
        display_id = str(transient.get("display_id", ""))
        if update:
            self._recorder.update(data, display_id)
        else:
            self._recorder.bundle("display", data, display_id)
        if not self._hide:
            self._aside(show)

    def _aside(self, show: Callable[[], None]) -> None:
        # A terminal writes displays, results and tracebacks to the stream, whose copy is not wanted.
        paused, self._paused = self._paused, True
        try:
            show()
        finally:
            self._paused = paused

    # ---- results ----------------------------------------------------------------------------------

    def _take_results(self, undo: ExitStack) -> None:
        hook = self._shell.displayhook
        # Left alone, the `;` of the newest *cell* would decide whether our result is shown.
        _stand_in(undo, hook, "quiet", lambda: _ends_in_semicolon(hook, self._code))
        undo.callback(setattr, hook, "exec_result", getattr(hook, "exec_result", None))
        if self._parent is not None and hasattr(hook, "register_hook"):
            hook.register_hook(self._on_result)
            undo.callback(hook.unregister_hook, self._on_result)
            return
        start, write, finish = hook.start_displayhook, hook.write_format_data, hook.finish_displayhook

        def start_displayhook() -> None:
            self._paused = True  # see `_aside`
            start()

        def write_format_data(data: Mapping[str, Any], metadata: Any = None) -> None:
            _flush()  # what was printed before it comes before it
            self._recorder.bundle("result", data)
            if not self._hide:
                write(data, metadata)

        def finish_displayhook() -> None:
            finish()
            self._paused = False

        if self._hide:
            _stand_in(undo, hook, "write_output_prompt", lambda: None)
        _stand_in(undo, hook, "start_displayhook", start_displayhook)
        _stand_in(undo, hook, "write_format_data", write_format_data)
        _stand_in(undo, hook, "finish_displayhook", finish_displayhook)

    def _on_result(self, message: Message) -> Message | None:
        if not self._is_ours(message):
            return message
        self._recorder.bundle("result", message["content"]["data"])
        return None if self._hide else message

    # ---- tracebacks -------------------------------------------------------------------------------

    def _take_tracebacks(self, undo: ExitStack) -> None:
        show = self._shell._showtraceback  # for subclasses to override, says IPython: there is no hook

        def showtraceback(kind: type[BaseException], error: BaseException, lines: list[str]) -> None:
            if self._parent is None or self._is_ours({"parent_header": _header(self._shell.get_parent())}):
                _flush()
                self._recorder.error("\n".join(lines))
            if not self._hide:
                self._aside(lambda: show(kind, error, lines))

        _stand_in(undo, self._shell, "_showtraceback", showtraceback)

    # ---- payloads ---------------------------------------------------------------------------------

    def _take_payloads(self, undo: ExitStack) -> None:
        # `name?` and the like go to the front end with the reply of a cell: that of the next cell, if
        # nobody takes them here.
        payloads = getattr(self._shell, "payload_manager", None)
        if payloads is None or not self._hide:
            return
        before = list(payloads.read_payload())
        payloads.clear_payload()

        def restore() -> None:
            for payload in payloads.read_payload():
                if payload.get("source") == "page":
                    self._recorder.bundle("display", payload.get("data") or {})
            payloads.clear_payload()
            for payload in before:
                payloads.write_payload(payload, single=False)

        undo.callback(restore)


class _Tee:
    """A text stream that tells the capture what is written, and passes it on."""

    def __init__(self, stream: TextIO, capture: Capture) -> None:
        self._stream = stream
        self._capture = capture

    def write(self, text: str) -> int:
        if self._capture.wrote(text):
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _publisher(publisher: Any, capture: Capture) -> Any:
    """Return a publisher that tells the capture, and passes on to another one."""
    from IPython.core.displaypub import DisplayPublisher  # the shell has loaded it

    class Publisher(DisplayPublisher):
        def publish(
            self,
            data: Any,
            metadata: Any = None,
            source: Any = None,
            *,
            transient: Any = None,
            update: bool = False,
            **more: Any,
        ) -> None:
            def show() -> None:
                publisher.publish(data, metadata, transient=transient, update=update, **more)

            capture.displayed(data, transient or {}, update, show)

        def clear_output(self, wait: bool = False) -> None:
            publisher.clear_output(wait)

        def set_parent(self, parent: Any) -> None:  # of ipykernel's; not all publishers have it
            if hasattr(publisher, "set_parent"):
                publisher.set_parent(parent)

    return Publisher(shell=publisher.shell)  # type: ignore[no-untyped-call]


def _stand_in(undo: ExitStack, owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Put a function in place of a method, on one object only."""
    before = vars(owner).get(name)
    setattr(owner, name, function)
    if before is None:
        undo.callback(delattr, owner, name)
    else:
        undo.callback(setattr, owner, name, before)


def _ends_in_semicolon(hook: Any, code: str) -> bool:
    try:
        return bool(hook.semicolon_at_end_of_expression(code))
    except Exception:  # noqa: BLE001 - code with magics need not be tokens of Python; IPython's own look fails alike
        return False


def _display_id(content: Mapping[str, Any]) -> str:
    return str((content.get("transient") or {}).get("display_id", ""))


def _header(parent: Mapping[str, Any]) -> Mapping[str, Any]:
    header: Mapping[str, Any] = parent.get("header") or {}
    return header


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # user code may have put anything there
            stream.flush()


def _draw_figures() -> None:
    """Let matplotlib's inline backend show what was drawn so far, as it would at the end of a cell."""
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    if backend is not None and hasattr(backend, "flush_figures"):
        backend.flush_figures()
