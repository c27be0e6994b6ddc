"""Any page of a log can be read and any text in it found, as a person would see it in a terminal."""

from __future__ import annotations

import asyncio
import os
import random
import re
import stat
import time
from pathlib import Path

import pytest

from voice_kernel.errors import LogError
from voice_kernel.task import logindex, logpages
from voice_kernel.task.logindex import BLOCK_BYTES, LineFile, LineIndex, index_path
from voice_kernel.task.logpages import MAX_HIT_CHARS, MAX_PAGE_BYTES, Hit, LogReader
from voice_kernel.task.logs import LogFolder, remove
from voice_kernel.task.logtext import MAX_CHARS, plain, shown


@pytest.fixture(autouse=True)
def one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call take as long as it takes; tests of slices set limits of their own."""
    for name in ("INDEX_SLICE_S", "PAGE_SLICE_S", "SEARCH_SLICE_S", "LONG_LINE_S"):
        monkeypatch.setattr(logpages, name, 600.0)


def saved(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "task.log"
    path.write_bytes(data)
    return str(path)


def logged(tmp_path: Path, pieces: list[bytes], **options: int) -> str:
    """A log as the runner writes it, its index with it."""

    async def write() -> str:
        log = LogFolder(tmp_path, **options).open("task")
        for piece in pieces:
            log.write(piece)
        log.close()
        return log.path

    return asyncio.run(write())


def searched(path: str, query: str) -> list[int]:
    """The numbers of all lines that hold a text, asked for slice by slice."""
    reader, found, line = LogReader(), list[int](), 0
    while True:
        hits = reader.search(path, query, line)
        found += [hit.line for hit in hits.hits]
        if hits.next_line is None:
            return found
        assert hits.next_line > line
        line = hits.next_line


LINES = [b"line %d %s" % (i, b"x" * (i % 170)) for i in range(30_000)]
BIG = b"\n".join(LINES) + b"\n"


# ---- pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("indexed", [True, False])
def test_any_page_of_a_log_is_what_the_file_says(tmp_path: Path, indexed: bool) -> None:
    path = logged(tmp_path, [BIG]) if indexed else saved(tmp_path, BIG)
    assert os.path.exists(index_path(path)) == indexed
    reader = LogReader()
    for first in [0, 1, 29_998, *random.Random(1).sample(range(30_000), 40)]:
        page = reader.page(path, first, 50)
        assert (page.first_line, page.total_lines, page.total_bytes) == (first, 30_000, len(BIG))
        assert page.lines == [line.decode() for line in LINES[first : first + 50]]


def test_every_line_is_found_where_it_begins(tmp_path: Path) -> None:
    chance = random.Random(2)
    sizes = [chance.choice([0, 0, 1, 7, 80, 3_000, 70_000, 200_000]) for _ in range(150)]
    lines = [b"%d" % size + b"y" * size for size in sizes]
    path = saved(tmp_path, b"\n".join(lines))
    with LineFile(path, LineIndex(), time.monotonic() + 600) as log:
        assert log.total_lines == len(lines)
        at = 0
        for number, line in enumerate(lines):
            assert log.start_of(number) == at
            at += len(line) + 1
        assert log.start_of(len(lines)) == log.size


def test_a_log_of_nothing_but_line_ends_is_read_as_well(tmp_path: Path) -> None:
    path = saved(tmp_path, b"\n" * (3 * BLOCK_BYTES + 5))
    page = LogReader().page(path, 2 * BLOCK_BYTES, 5_000)
    assert (page.total_lines, page.lines) == (3 * BLOCK_BYTES + 5, [""] * 5_000)


def test_a_negative_line_counts_from_the_end(tmp_path: Path) -> None:
    path = saved(tmp_path, BIG)
    page = LogReader().page(path, -3, 500)
    assert (page.first_line, page.lines) == (29_997, [line.decode() for line in LINES[-3:]])
    page = LogReader().page(path, -100, 20)
    assert (page.first_line, page.lines) == (29_900, [line.decode() for line in LINES[29_900:29_920]])
    assert LogReader().page(path, -99_999, 2).first_line == 0


def test_a_page_is_bounded_and_keeps_the_end_where_the_end_was_asked_for(tmp_path: Path) -> None:
    lines = [b"%04d" % i + b"z" * 1_000 for i in range(5_000)]
    path = saved(tmp_path, b"\n".join(lines) + b"\n")
    page = LogReader().page(path, 10, 5_000)
    assert page.lines[0].startswith("0010")
    assert 150_000 < sum(map(len, page.lines)) < MAX_PAGE_BYTES
    page = LogReader().page(path, -5_000, 5_000)
    assert page.lines[-1].startswith("4999")
    assert page.first_line == 5_000 - len(page.lines)
    assert 150_000 < sum(map(len, page.lines)) < MAX_PAGE_BYTES


def test_a_last_line_without_an_end_is_a_line(tmp_path: Path) -> None:
    page = LogReader().page(saved(tmp_path, b"one\ntwo"), 0, 10)
    assert (page.lines, page.total_lines) == (["one", "two"], 2)


def test_an_empty_log_has_no_lines(tmp_path: Path) -> None:
    page = LogReader().page(saved(tmp_path, b""), -500, 500)
    assert (page.first_line, page.lines, page.total_lines) == (0, [], 0)


def test_lines_beyond_the_end_are_none(tmp_path: Path) -> None:
    page = LogReader().page(saved(tmp_path, b"one\n"), 5, 10)
    assert (page.first_line, page.lines, page.total_lines) == (1, [], 1)


def test_a_line_of_many_megabytes_is_cut_and_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path, b"first\n" + b"a" * 20_000_000 + b"\nlast\n")
    page = LogReader().page(path, 0, 10)
    assert page.lines[0] == "first"
    assert page.lines[2:] == ["last"]
    assert len(page.lines[1]) <= MAX_CHARS
    assert page.lines[1].startswith("aaaa")
    assert page.lines[1].endswith("… (19,996,040 more)")


def test_a_progress_line_of_many_megabytes_shows_its_last_state(tmp_path: Path) -> None:
    bar = b"".join(b"\r%3d%% of it" % (i % 100) for i in range(1_000_000))
    page = LogReader().page(saved(tmp_path, bar + b"\r100% of it\ndone\n"), 0, 10)
    assert page.lines == ["100% of it", "done"]


def test_a_log_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no longer kept") as caught:
        LogReader().page(str(tmp_path / "task.log"), 0, 1)
    assert "run the task again" in caught.value.hint


def test_only_a_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "link.log").symlink_to(tmp_path / "pipe.log")
    for name in ("pipe.log", "link.log", "."):
        with pytest.raises(LogError, match="cannot be read"):
            LogReader().page(str(tmp_path / name), 0, 1)


# ---- the index -------------------------------------------------------------------------------------


def test_the_index_grows_with_its_log_however_it_is_written(tmp_path: Path) -> None:
    chance = random.Random(3)
    pieces, at = [], 0
    while at < len(BIG):
        size = chance.choice([1, 100, 5_000, 65_536, 300_000])
        pieces.append(BIG[at : at + size])
        at += size
    path = logged(tmp_path, pieces)
    kept = LineIndex.load(path)
    counted = LineIndex()
    with LineFile(path, counted, time.monotonic() + 600):
        assert kept.counts == counted.counts
    assert kept.covered_bytes == len(BIG) // BLOCK_BYTES * BLOCK_BYTES


def test_a_short_log_needs_no_index(tmp_path: Path) -> None:
    assert not os.path.exists(index_path(logged(tmp_path, [b"short\n"])))


def test_only_the_owner_can_read_an_index(tmp_path: Path) -> None:
    path = logged(tmp_path, [BIG])
    assert stat.S_IMODE(os.stat(index_path(path)).st_mode) == 0o600


def test_a_missing_index_is_made_once_the_log_is_whole(tmp_path: Path) -> None:
    path = saved(tmp_path, BIG)
    LogReader().page(path, 0, 1, ended=False)
    assert not os.path.exists(index_path(path))
    LogReader().page(path, 0, 1)
    assert LineIndex.load(path).covered_bytes == len(BIG) // BLOCK_BYTES * BLOCK_BYTES
    assert [entry.name for entry in tmp_path.iterdir() if "index" in entry.name] == ["task.log.index"]


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"no index at all",
        logindex._HEADER + b"\x01" * 8 * 500,
        logindex._HEADER + b"\x07" + b"\0" * 7,
        logindex._HEADER + b"\x07\0\0",
    ],
)
def test_an_index_that_does_not_fit_its_log_is_made_anew(tmp_path: Path, spoilt: bytes) -> None:
    path = saved(tmp_path, BIG)
    Path(index_path(path)).write_bytes(spoilt)
    assert LogReader().page(path, 20_000, 1).lines == [LINES[20_000].decode()]
    assert LineIndex.load(path).covered_bytes == len(BIG) // BLOCK_BYTES * BLOCK_BYTES


def test_a_log_that_was_replaced_by_a_shorter_one_is_counted_anew(tmp_path: Path) -> None:
    path = saved(tmp_path, BIG)
    reader = LogReader()
    assert reader.page(path, 0, 1).total_lines == 30_000
    saved(tmp_path, b"other\n" * 20_000)
    assert reader.page(path, 0, 1).total_lines == 20_000


def test_counting_is_bounded_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, BIG)
    monkeypatch.setattr(logpages, "INDEX_SLICE_S", -1.0)  # a block at a time
    reader = LogReader()
    shares = []
    for _ in range(len(BIG) // BLOCK_BYTES - 1):
        with pytest.raises(LogError, match="still being counted") as caught:
            reader.page(path, 0, 1)
        assert caught.value.retryable
        shares.append(int(re.findall(r"(\d+)%", caught.value.message)[0]))
    assert shares == sorted(shares)
    assert reader.page(path, 29_999, 1).lines == [LINES[29_999].decode()]


def test_a_log_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        folder = LogFolder(tmp_path)
        log = folder.open("task")
        reader = LogReader()
        for number in range(40):
            log.write(b"%d %s\n" % (number, b"w" * 9_000))
            assert folder.flush(log.path)
            page = reader.page(log.path, -1, 1, ended=False)
            assert (page.first_line, page.total_lines) == (number, number + 1)
            assert page.lines[0].startswith(f"{number} w")
        log.close()
        assert not folder.flush(log.path)
        assert reader.page(log.path, 0, 1).total_lines == 40

    asyncio.run(scenario())


def test_the_index_of_a_log_that_was_cut_fits_it(tmp_path: Path) -> None:
    path = logged(tmp_path, [BIG], max_log_bytes=1_000_000)
    page = LogReader().page(path, -2, 2)
    assert "the log was cut here" in page.lines[-1]
    assert page.total_lines == BIG[:1_000_000].count(b"\n") + 2


def test_an_index_goes_with_its_log(tmp_path: Path) -> None:
    path = logged(tmp_path, [BIG])
    assert remove(path)
    assert list(tmp_path.iterdir()) == []
    assert not remove(path)


def test_an_index_whose_log_is_gone_is_removed(tmp_path: Path) -> None:
    path = logged(tmp_path, [BIG])
    os.unlink(path)
    LogFolder(tmp_path).open("next").close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["next.log"]


def test_rotation_takes_indexes_along(tmp_path: Path) -> None:
    logged(tmp_path, [BIG])
    LogFolder(tmp_path, max_logs=1).open("next").close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["next.log"]


def test_an_index_that_cannot_be_written_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "task.log.index").mkdir()
    path = logged(tmp_path, [BIG])
    assert LogReader().page(path, 29_999, 1).lines == [LINES[29_999].decode()]


# ---- one line --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (b"plain", "plain"),
        (b"caf\xc3\xa9 \xff", "café �"),
        (b"windows\r", "windows"),
        (b" 10%\r 55%\r100%", "100%"),
        (b"100%\rdone", "done"),
        (b"downloading\rok\x1b[K", "ok"),
        (b"\x1b[2K\rstep 1\x1b[2K\rstep 2", "step 2"),
        (b"abc\rX", "Xbc"),
        (b"b\bbo\bol\bld\bd", "bold"),
        (b"left\x1b[3Dx", "lxft"),
        (b"a\x1b[5Gb", "a   b"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"bell\x07 and nul\x00", "bell and nul"),
        (b"tab\tstays", "tab\tstays"),
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (b"\x1b[31mold\x1b[0m\r\x1b[32mnew\x1b[0m", "\x1b[32mnew\x1b[0m"),
        (b"unfinished \x1b[3", "unfinished 3"),
        (b"", ""),
        (b"\r\r\r", ""),
    ],
)
def test_a_line_is_shown_as_a_terminal_shows_it(line: bytes, seen: str) -> None:
    assert shown(line) == seen


def test_a_long_line_is_never_cut_within_a_colour() -> None:
    for size in range(3_900, 4_000):
        text = shown(b"x" * size + b"\x1b[31m" + b"y" * 500)
        assert len(text) <= MAX_CHARS
        assert re.fullmatch(r"x+y*… \([\d,]+ more\)", plain(text))


def test_no_line_takes_long_whatever_is_in_it() -> None:
    begin = time.process_time()
    for piece in (
        b"\x1b[31m",
        b"\x1b]",
        b"\x1b[",
        b"\r",
        b"\b",
        b"a\r",
        b"\x1b[9999C",
        b"\x1b[99999C\x1b[P",
        b"\xff",
    ):
        assert len(shown(piece * (300_000 // len(piece)))) <= MAX_CHARS
    assert time.process_time() - begin < 60  # in fact 0.3 s; what grows with the square takes hours


# ---- search ----------------------------------------------------------------------------------------


def test_a_search_finds_the_lines_that_grep_finds(tmp_path: Path) -> None:
    path = saved(tmp_path, BIG)
    assert searched(path, "LINE 29") == [i for i in range(30_000) if str(i).startswith("29")]
    assert searched(path, "nowhere") == []


def test_a_search_sees_past_colours_and_case(tmp_path: Path) -> None:
    path = saved(tmp_path, b"ok\n\x1b[31mER\x1b[1mR\x1b[0mor: x\nerrata\nstraSSe \xc3\x84rger\n")
    assert LogReader().search(path, "error").hits == [Hit(1, "ERRor: x")]
    assert LogReader().search(path, "ärger").hits == [Hit(3, "straSSe Ärger")]
    assert searched(path, "31m") == []


def test_a_search_sees_only_the_last_state_of_a_line(tmp_path: Path) -> None:
    path = saved(tmp_path, b"loading 10%\rloading 99%\rfinished  \x1b[K\nloading more\r\nb\bbo\bol\bld\bd\n")
    assert searched(path, "loading") == [1]
    assert searched(path, "finished") == [0]
    assert searched(path, "bold") == [2]


def test_a_search_stops_at_its_limit_and_goes_on_behind_it(tmp_path: Path) -> None:
    path = saved(tmp_path, b"hit\nmiss\n" * 50)
    hits = LogReader().search(path, "hit", 0, 10)
    assert [hit.line for hit in hits.hits] == list(range(0, 20, 2))
    assert hits.next_line == 19
    hits = LogReader().search(path, "hit", 19, 100)
    assert [hit.line for hit in hits.hits] == list(range(20, 100, 2))
    assert hits.next_line is None


def test_a_search_that_takes_long_is_done_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, BIG)
    monkeypatch.setattr(logpages, "SEARCH_SLICE_S", -1.0)
    first = LogReader().search(path, "nowhere")
    assert first.hits == []
    assert first.next_line is not None
    assert 0 < first.next_line < 30_000
    assert searched(path, "line 12345 ") == [12_345]


def test_what_is_found_is_shown_with_what_is_around_it(tmp_path: Path) -> None:
    path = saved(tmp_path, b"a" * 1_000 + b"NEEDLE" + b"b" * 1_000 + b"\n" + b"c" * 1_000 + b"needle\n")
    middle, end = LogReader().search(path, "needle").hits
    assert len(middle.text) == len(end.text) == MAX_HIT_CHARS
    assert "aNEEDLEb" in middle.text
    assert middle.text[0] == middle.text[-1] == end.text[0] == "…"
    assert end.text.endswith("cneedle")


def test_a_text_far_inside_a_huge_line_is_found(tmp_path: Path) -> None:
    path = saved(tmp_path, b"one\n" + b"a" * 3_000_000 + b"needle" + b"a" * 3_000_000 + b"\nneedle\n")
    assert searched(path, "Needle") == [1, 2]


def test_a_huge_progress_line_is_searched_in_its_last_state(tmp_path: Path) -> None:
    bar = b"".join(b"\r%3d%% loading" % (i % 100) for i in range(100_000))
    path = saved(tmp_path, bar + b"\rdone          \n")
    assert searched(path, "loading") == []
    assert searched(path, "done") == [0]
