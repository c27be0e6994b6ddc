"""Read from a program's output how far it is.

As tqdm, pip, pytest, rich, curl, wget, git, cargo, Keras, cmake and many others print it. Knows how
progress looks on a terminal, not which program runs. It is given text in pieces and keeps nothing of it
but the last label and an unfinished line. What it does not recognise is no progress: a line that merely
holds a percentage is none unless it is being redrawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from voice_kernel.messages import Progress

MAX_READ_CHARS = 4_096
"""Of each piece only so much of its end is read: progress is what was printed last."""
MAX_LINE_CHARS = 300
MAX_LABEL_CHARS = 120

_BACK_TO_START = re.compile(r"\x1b\[\d*[AFG]|\x1b\[\d*(?:;\d*)?H")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
_CUT_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?$")
_LINES = re.compile(r"([^\r\n]+)([\r\n]*)")

_NUMBER = r"(\d+(?:[.,]\d+)*)"
_SCALED = r"(\d+(?:\.\d+)?) ?([kKMGTP]?)"
_BYTES = r"[kKMGTP]?i?B|bytes"
_SCALES = {"": 1.0, "B": 1.0, "b": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}

Found = re.Match[str]


class ProgressReader:
    """Follows one program's output."""

    def __init__(self) -> None:
        self._now = Progress()
        self._step = ""
        self._open = ""
        """The last line, as long as it has no end: its rest may come, or it will be redrawn."""

    def read(self, text: str) -> Progress | None:
        """Take the next piece of output; returns the progress when this piece has changed it."""
        before = self._now
        text = (self._open + text)[-MAX_READ_CHARS:]
        begin = max(text.rfind("\n"), text.rfind("\r"))
        self._open = text[max(begin, len(text) - MAX_LINE_CHARS, 0) :]
        text = _CUT_ESCAPE.sub("", _BACK_TO_START.sub("\r", text.replace("\r\n", "\n")))
        text = _ESCAPES.sub("", text)
        after = text[:1]
        for line, end in _LINES.findall(text):
            if len(line) <= MAX_LINE_CHARS and line.strip():
                self._line(line.rstrip(), redrawn="\r" in after or "\r" in end)
            after = end
        return self._now if self._now != before else None

    def _line(self, line: str, *, redrawn: bool) -> None:
        for pattern, meaning in _FORMATS:
            found = pattern.search(line)
            progress = meaning(found) if found is not None else None
            if progress is not None:
                self._now = progress.model_copy(update={"label": progress.label or self._step})
                return
        step = _STEP.match(line)
        if step is not None:
            self._step = _clean(re.sub(r"(?<=Downloading )\S*/", "", step[0]))
            self._now = Progress(label=self._step)
            return
        percent = _ANY_PERCENT.findall(line) if redrawn else []
        progress = _fraction(percent[0], self._step) if len(percent) == 1 else None
        if progress is not None:
            self._now = progress
        elif self._now.fraction == 1.0:  # that is over, and what is done now tells no progress
            self._now, self._step = Progress(), ""


def _fraction(percent: str, label: str = "") -> Progress | None:
    value = float(percent)
    return Progress(fraction=value / 100, label=_clean(label)) if value <= 100 else None


def _counted(done: float, total: float, *, unit: str = "", label: str = "") -> Progress | None:
    """Return the progress of what is counted; None when the numbers cannot be that."""
    if total <= 0 or done > total:
        return None
    return Progress(fraction=done / total, done=done, total=total, unit=unit, label=_clean(label))


def _sized(
    done: str, done_scale: str, total: str, total_scale: str, unit: str, label: str
) -> Progress | None:
    """Return the progress of sizes such as `512k` of `1.2M`, both in the unit of the whole."""
    whole = float(total)
    part = round(float(done) * _SCALES[done_scale] / _SCALES[total_scale], 3)
    if whole < part < whole * 1.03:  # both were rounded to be printed
        part = whole
    return _counted(part, whole, unit=total_scale + unit, label=label)


def _clean(label: str) -> str:
    return " ".join(label.split()).strip(" :|")[:MAX_LABEL_CHARS]


def _before(found: Found) -> str:
    """Return what stands before a bar: what it is about."""
    return _clean(found.string[: found.start()])


def _plain(number: str) -> float:
    return float(number.replace(",", ""))


# ---- what each format means ------------------------------------------------------------------------


def _tqdm(found: Found) -> Progress | None:
    done, done_scale, total, total_scale, rest = found.groups()
    rate = re.search(r"[\d.]+[kKMGTP]?([A-Za-z]+)/s|s/([A-Za-z]+)\]?$|\?([A-Za-z]+)/s", rest)
    unit = next((name for name in rate.groups() if name), "") if rate else ""
    return _sized(done, done_scale, total, total_scale, "" if unit == "it" else unit, _before(found))


def _tqdm_without_end(found: Found) -> Progress | None:
    done, scale, unit = found.groups()
    unit = scale + ("" if unit == "it" else unit)
    return Progress(done=float(done), unit=unit, label=_before(found))


def _bar(found: Found) -> Progress | None:
    """`label ━━━━╸━━━ 45%`, or with `7.9/18.2 MB`, or with `20/25` behind it."""
    rest = found[1]
    sizes = re.match(rf"{_NUMBER} ?({_BYTES})?/{_NUMBER} ?({_BYTES})?(?=\s|$)", rest)
    if sizes is not None:
        done, done_unit, total, total_unit = sizes.groups()
        factor = _SCALES[(done_unit or total_unit or "")[:1]] / _SCALES[(total_unit or "")[:1]]
        return _counted(_plain(done) * factor, _plain(total), unit=total_unit or "", label=_before(found))
    percent = re.search(r"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?%", rest)
    return _fraction(percent[1], _before(found)) if percent is not None else None


def _keras(found: Found) -> Progress | None:
    return _counted(float(found[1]), float(found[2]), unit="steps")


def _git(found: Found) -> Progress | None:
    label, percent, done, total = found.groups()
    counted = _counted(float(done), float(total), unit=label.split()[-1].lower(), label=label)
    if counted is not None and abs(float(percent) / 100 - float(done) / float(total)) < 0.02:
        return counted
    return _fraction(percent, label)  # the line was cut, or counts something else


def _cargo(found: Found) -> Progress | None:
    verb, done, total, names = found.groups()
    return _counted(float(done), float(total), unit="crates", label=f"{verb} {names or ''}")


def _curl(found: Found) -> Progress | None:
    percent, total, total_scale, done, done_scale = found.groups()
    return _sized(done, done_scale, total, total_scale, "B", "") or _fraction(percent)


def _percent(found: Found) -> Progress | None:
    return _fraction(found[1], _before(found))


def _percent_of(found: Found) -> Progress | None:
    return _fraction(found[1], found[2])


def _bare_percent(found: Found) -> Progress | None:
    return _fraction(found[1])


def _steps(found: Found) -> Progress | None:
    return _counted(float(found[1]), float(found[2]), label=found[3])


def _tests(found: Found) -> Progress | None:
    return _counted(float(found[1]), float(found[2]), unit="tests")


def _hashes(found: Found) -> Progress | None:
    return _fraction(str(100 * found[1].count("#") / len(found[1])), found[2])


_FORMATS: tuple[tuple[re.Pattern[str], Callable[[Found], Progress | None]], ...] = (
    # tqdm:  Epoch 1:  45%|████▌     | 45/100 [00:04<00:05,  9.98it/s]
    (re.compile(rf"\d{{1,3}}%\|[^|]*\|\s*{_SCALED}i?/{_SCALED}i?\s+\[(.*)$"), _tqdm),
    # tqdm without a total:  Epoch 1: 45it [00:04, 9.98it/s]
    (re.compile(rf"(?:^|: ){_SCALED}([A-Za-z]+) \[\d[\d:]*, "), _tqdm_without_end),
    # Keras:  12/45 ━━━━━━ 0s 12ms/step, and before that:  12/45 [====>.....] - ETA: 5s
    (re.compile(r"^\s*(\d+)/(\d+) (?:[━╸]+|\[[=>.]+\]) "), _keras),
    # rich, pip:  Working... ━━━━━━╸━━━━  45% 0:00:05     uv:  numpy  -----------  7.5 MiB/15.0 MiB
    (re.compile(r"[━╸╺]{5,}\s+(.*)$"), _bar),
    (re.compile(r"-{8,}\s+([\d.]+ ?[kKMGT]?i?B/.*)$"), _bar),
    # git:  Receiving objects:  45% (12/27), 1.20 MiB | 1.10 MiB/s
    (re.compile(r"^(?:remote: )?([A-Z][a-z]+(?: [a-z]+)*):\s+(\d{1,3})% \((\d+)/(\d+)\)"), _git),
    # cargo:      Building [=====>      ] 3/8: serde, syn
    (re.compile(r"^\s*([A-Z][a-z]+) \[[=> ]*\] (\d+)/(\d+)(?::\s*(.*))?"), _cargo),
    # curl:   40 5859k   40 2368k    0     0  3211k      0  0:00:01 --:--:--  0:00:01 3208k
    (
        re.compile(rf"^\s*(\d{{1,3}})\s+{_SCALED}\s+\d{{1,3}}\s+{_SCALED}(?:\s+\S+){{4}}\s+[\d:-]{{7,8}}\s"),
        _curl,
    ),
    # curl -#:  ########          45.0%
    (re.compile(r"^#*\s+(\d{1,3}\.\d)%$"), _bare_percent),
    # wget:  big.bin     43%[=======>         ]   2.51M  3.07MB/s
    (re.compile(r"(\d{1,3})%\[[=>+< ]*\]"), _percent),
    # wget into a file:   5650K .......... .......... 97% 2.41M 0s
    (re.compile(r"^\s*\d+[KMG] [., ]{5,}\s*(\d{1,3})% "), _bare_percent),
    # pytest:  tests/test_a.py ....F..     [ 45%]      or  [12/75]
    (re.compile(r"(?:^|\s)\[ {0,2}(\d{1,3})%\]$"), _bare_percent),
    (re.compile(r"\s\[ *(\d{1,5})/(\d{1,5})\]$"), _tests),
    # cmake:  [ 45%] Building C object      pytest-xdist:  [gw0] [ 45%] PASSED      apt:  Progress: [ 45%]
    (re.compile(r"^(?:\[gw\d+\] |Progress: )?\[ {0,2}(\d{1,3})%\] (.*)$"), _percent_of),
    # ninja, yarn:  [12/27] Building      docker:  Step 3/9 : RUN
    (re.compile(r"^\[ *(\d+)/(\d+)\] (.*)$"), _steps),
    (re.compile(r"^Step (\d+)/(\d+) ?: ?(.*)$"), _steps),
    # apt:  45% [3 libc6 1,024 kB/2,048 kB 50%]
    (re.compile(r"^(\d{1,3})% \["), _bare_percent),
    # npm up to 6:  [######............] / fetchMetadata: sill pacote
    (re.compile(r"^\[([#.]{10,})\] [-\\|/] (\w+)"), _hashes),
)
"""Tried in this order; the first that fits tells."""

_STEP = re.compile(
    r"Collecting [\w.\[\]-]+|\s*Downloading (?:\S*/)?[\w.+-]+\.(?:whl|tar\.gz|zip|conda)"
    r"|Installing collected packages: .*"
    r"|\s*Building wheels? for [\w.,\s-]+|Cloning into '[^']*'|Epoch \d+/\d+"
)
"""Lines that tell what is being done, without how much of it."""
_ANY_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?%")
