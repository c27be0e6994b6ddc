"""Progress is read from what real programs print, and from nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.messages import Progress
from voice_kernel.task.progress import ProgressReader

DATA = Path(__file__).parents[2] / "data" / "progress"
CAPTURED = {path.stem: path.read_bytes().decode() for path in sorted(DATA.glob("*.txt"))}


def told(text: str, *, cut: str = r"(?<=[\r\n])") -> list[Progress]:
    """Read a text line by line, as its program printed it; returns each change."""
    reader = ProgressReader()
    changes = (reader.read(piece) for piece in re.split(cut, text))
    return [progress for progress in changes if progress is not None]


def known(name: str) -> list[Progress]:
    return [progress for progress in told(CAPTURED[name]) if progress.fraction is not None]


def counts(name: str) -> list[tuple[float | None, float | None, str, str]]:
    return [(progress.done, progress.total, progress.unit, progress.label) for progress in known(name)]


def of(done: float, total: float, unit: str = "", label: str = "") -> Progress:
    return Progress(fraction=done / total, done=done, total=total, unit=unit, label=label)


def test_every_capture_is_tested() -> None:
    text = Path(__file__).read_text()
    assert CAPTURED
    assert [name for name in CAPTURED if f'"{name}"' not in text] == []


def test_tqdm_tells_what_it_counts_with_its_label_and_unit() -> None:
    found = counts("tqdm")
    assert (5, 40, "", "Epoch 1") in found
    assert (40, 40, "", "Epoch 2") in found
    assert (2, 5, "MB", "data.bin") in found
    last = told(CAPTURED["tqdm"])[-1]  # a loop without a known end
    assert (last.fraction, last.done) == (None, 30)


def test_rich_tells_percentages_and_counts() -> None:
    found = known("rich")
    assert {progress.label for progress in found} == {"Working...", "Reading"}
    assert found[-1] == Progress(fraction=1, done=25, total=25, label="Reading")
    working = [progress.fraction for progress in found if progress.label == "Working..."]
    assert working == sorted(working, key=lambda fraction: fraction or 0)
    assert len(working) > 4


def test_pip_tells_what_it_collects_downloads_and_installs() -> None:
    changes = told(CAPTURED["pip"])
    assert changes[0] == Progress(label="Collecting bigwheel")
    assert changes[1] == Progress(label="Downloading bigwheel-1.0-py3-none-any.whl")
    label, unit, total = "Downloading bigwheel-1.0-py3-none-any.whl", "MB", 8
    assert {(p.label, p.unit, p.total) for p in changes[2:-1]} == {(label, unit, total)}
    assert changes[-1] == Progress(label="Installing collected packages: bigwheel")


def test_pytest_tells_the_percentage_at_the_end_of_its_lines() -> None:
    assert [progress.fraction for progress in known("pytest")] == [0.33, 0.66, 1.0]
    verbose = [progress.fraction for progress in known("pytest_verbose")]
    assert (verbose[0], verbose[-1], len(verbose)) == (0.04, 1.0, 25)
    assert [progress.fraction for progress in known("pytest_xdist")] == [1.0]
    assert told(CAPTURED["pytest"])[-1] == Progress()  # the summary is no progress


def test_curl_tells_sizes_or_its_bar() -> None:
    assert counts("curl")[1:] == [(2368, 5859, "kB", ""), (5504, 5859, "kB", ""), (5859, 5859, "kB", "")]
    bar = [progress.fraction for progress in known("curl_bar")]
    assert (bar[0], bar[-1]) == (pytest.approx(0.066), 1.0)


def test_wget_tells_percentages_with_the_name_of_the_file() -> None:
    assert known("wget")[1] == Progress(fraction=0.11, label="/dev/null")
    dots = [progress.fraction for progress in known("wget_dot")]
    assert dots == sorted(dots, key=lambda fraction: fraction or 0)
    assert dots[-1] == 1.0


def test_git_tells_its_phases_one_after_the_other() -> None:
    found = counts("git")
    assert (1526, 3052, "objects", "Counting objects") in found
    assert (3022, 3052, "objects", "Receiving objects") in found
    labels = list(dict.fromkeys(label for *_, label in found))
    assert labels == ["Counting objects", "Compressing objects", "Receiving objects"]


def test_cargo_tells_how_many_crates_and_which() -> None:
    assert counts("cargo")[3] == (3, 8, "crates", "Building c6, c2")


def test_builds_tell_their_steps() -> None:
    assert known("cmake")[0] == Progress(fraction=0.16, label="Building C object CMakeFiles/demo.dir/f1.c.o")
    assert counts("ninja")[-1] == (6, 6, "", "Linking C static library libdemo.a")


def test_npm_today_tells_none() -> None:
    assert told(CAPTURED["npm"]) == []


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        # Programs that do not exist here, in the words of their documentation and sources.
        ("12/45 ━━━━━━━━━━━ 0s 12ms/step - loss: 0.3", of(12, 45, "steps")),
        ("12/45 [======>.......] - ETA: 5s - loss: 0.3", of(12, 45, "steps")),
        ("numpy  --------------------- 7.50 MiB/15.00 MiB", of(7.5, 15, "MiB", "numpy")),
        ("   ━━━━━━━━━━━━━━━━━━━━━━ 512.0 kB/1.0 MB 1.2 MB/s", of(0.512, 1, "MB")),
        ("[########............] / fetchMetadata: sill", Progress(fraction=0.4, label="fetchMetadata")),
        ("[2/4] Fetching packages...", of(2, 4, label="Fetching packages...")),
        ("Step 3/9 : RUN make", of(3, 9, label="RUN make")),
        ("Progress: [ 45%] [#####......]", Progress(fraction=0.45, label="[#####......]")),
        ("45% [3 libc6 1,024 kB/2,048 kB 50%]", Progress(fraction=0.45)),
        ("tests/test_a.py .....F.        [12/75]", of(12, 75, "tests")),
        ("[gw1] [ 45%] PASSED tests/a.py::b", Progress(fraction=0.45, label="PASSED tests/a.py::b")),
        ("Epoch 3/10", Progress(label="Epoch 3/10")),
        ("train: 100%|█████| 3.00G/3.00G [05:00<00:00, 10.0MB/s]", of(3, 3, "GB", "train")),
        ("  7%|▋         | 7/100 [00:14<03:06,  2.01s/file]", of(7, 100, "file")),
    ],
)  # fmt: skip
def test_others_are_read_as_they_are_described(line: str, progress: Progress) -> None:
    assert ProgressReader().read(line + "\n") == progress


@pytest.mark.parametrize(
    "line",
    [
        "45% of the rows are empty",
        "accuracy: 98.5%",
        "12/45 of them",
        "[INFO] 12/45 done",
        "500 Internal Server Error",
        "1/2/2024 10:00 [12] started",
        "Receiving objects: 200% (12/6)",
        "[ 45 %] x",
        "-------------- 3 MB",
        "",
        "\x1b[31m\x1b[0m",
    ],
)
def test_what_merely_looks_like_it_is_no_progress(line: str) -> None:
    assert told(line + "\n") == []


def test_a_percentage_in_a_line_that_is_redrawn_is_progress() -> None:
    assert [p.fraction for p in told("\r10% done\r50% done\r100% done\n")] == [0.1, 0.5, 1.0]
    assert told("\r10% of 50% done\r") == []
    assert told("\r250%\r") == []


def test_a_bar_that_is_full_goes_when_something_else_is_printed() -> None:
    changes = told("100%|██████████| 5/5 [00:01<00:00,  5.00it/s]\nNow to the long part.\n")
    assert changes == [Progress(fraction=1, done=5, total=5), Progress()]
    half = told("50%|█████     | 2/4 [00:01<00:00,  5.00it/s]\na message between\n")
    assert half == [Progress(fraction=0.5, done=2, total=4)]


def test_an_escape_code_cut_in_two_does_no_harm() -> None:
    reader = ProgressReader()
    assert reader.read("Reading ━━━━━━━━ 5/25\x1b[") == Progress(
        fraction=0.2, done=5, total=25, label="Reading"
    )
    assert reader.read("0m\r") is None


@settings(deadline=None)  # other work on the machine
@given(st.sampled_from(sorted(CAPTURED)), st.lists(st.integers(1, 2_000), min_size=1, max_size=40))
def test_however_it_is_cut_it_ends_alike(name: str, sizes: list[int]) -> None:
    text, reader, at = CAPTURED[name], ProgressReader(), 0
    last = Progress()
    while at < len(text):
        size = sizes[at % len(sizes)]
        progress = reader.read(text[at : at + size])
        at += size
        if progress is not None:
            last = progress
            assert progress.fraction is None or 0 <= progress.fraction <= 1
            assert len(progress.label) <= 120
    assert last == ([Progress(), *told(text)])[-1]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789%/[]|━-# =>.:kMB\r\n\x1bmA█"), max_size=200), max_size=10))
def test_no_text_breaks_the_reader(pieces: list[str]) -> None:
    reader = ProgressReader()
    for piece in pieces:
        reader.read(piece)


@pytest.mark.parametrize(
    "piece", ["1", " ", "-", "━", "9/", "[", "100% ", "a: ", "\x1b", "\r", "0% ", "1k ", "x\r"]
)
def test_long_lines_and_many_lines_are_read_in_moments(piece: str) -> None:
    reader = ProgressReader()
    text = piece * 1_000_000
    begin = time.process_time()
    for _ in range(10):
        reader.read(text)
    assert time.process_time() - begin < 60  # in fact 0.04 s; what grows with the square takes hours
