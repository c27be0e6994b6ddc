"""What is printed goes to whoever's call it was printed in, and everything else where it went before."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import io
import sys
import threading

from voice_kernel.usertools.printing import RoutedStream, routed, written_to


def test_each_call_has_its_own_prints_and_the_rest_goes_on_as_before() -> None:
    before = sys.stdout
    cell, first, second = io.StringIO(), io.StringIO(), io.StringIO()
    meet = threading.Barrier(2)

    def call(into: io.StringIO, word: str) -> None:
        meet.wait(60)
        print(word)
        print(word, file=sys.stderr)

    with contextlib.redirect_stdout(cell), routed():
        threads = []
        for into, word in ((first, "one"), (second, "two")):
            with written_to(into.write):
                context = contextvars.copy_context()
                threads.append(threading.Thread(target=context.run, args=(call, into, word)))
        for thread in threads:
            thread.start()
        print("cell")
        for thread in threads:
            thread.join(10)
    assert (cell.getvalue(), first.getvalue(), second.getvalue()) == ("cell\n", "one\none\n", "two\ntwo\n")
    assert sys.stdout is before


async def test_coroutines_and_their_threads_print_to_their_own_call() -> None:
    taken: dict[str, io.StringIO] = {"a": io.StringIO(), "b": io.StringIO()}

    async def call(word: str) -> None:
        await asyncio.sleep(0)
        print(word)
        await asyncio.to_thread(print, word, "too")

    with routed():
        tasks = []
        for word, into in taken.items():
            with written_to(into.write):
                tasks.append(asyncio.create_task(call(word)))
        await asyncio.gather(*tasks)
    assert {word: into.getvalue() for word, into in taken.items()} == {"a": "a\na too\n", "b": "b\nb too\n"}


def test_calls_may_overlap_and_the_streams_come_back_with_the_last() -> None:
    before = sys.stdout
    first, second = routed(), routed()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert isinstance(sys.stdout, RoutedStream)
    second.__exit__(None, None, None)
    assert sys.stdout is before


def test_a_stream_that_somebody_else_put_there_is_left_and_what_they_put_back_is_harmless() -> None:
    before = sys.stdout
    call = routed()
    call.__enter__()
    with contextlib.redirect_stdout(io.StringIO()) as captured:
        call.__exit__(None, None, None)
        print("captured")
        assert sys.stdout is captured
    left = sys.stdout  # ours, put back by the redirection
    assert captured.getvalue() == "captured\n"
    assert left is before or isinstance(left, RoutedStream)
    with routed():
        pass
    assert sys.stdout is before


def test_a_routed_stream_is_otherwise_the_stream_it_stands_for() -> None:
    stream = io.StringIO()
    routed_stream = RoutedStream(stream)
    routed_stream.writelines(["a", "b"])
    assert routed_stream.getvalue() == "ab"
    with written_to(lambda text: None):
        assert not routed_stream.isatty()
