"""Work spread over the processor's cores, its results in the order of the inputs."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import TypeVar

from vaelab.errors import InputError

S = TypeVar("S")
T = TypeVar("T")
PIPE_BYTES = 1 << 20


def workers() -> int:
    """How many cores are used: those that this process may use, at most 16."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(16, cores)


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """No search for circular garbage inside: one takes 0.1 s, and after a fork it copies every page that is shared."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def by_processes(work: Callable[[S], T], inputs: Sequence[S]) -> Iterator[T]:
    """work(input) for each input, in order; each process takes every n-th input and is at most one result ahead.

    The processes are copies of this one (fork): they start in milliseconds and import nothing again. They end with
    this one, however it ends, for then nobody reads their results.

    Args:
        work: Must not touch torch or the screen; its results are pickled.
        inputs: What to work on.

    Raises:
        InputError: A process was killed, as the system does when the memory is used up.
    """
    context = multiprocessing.get_context("fork")
    readers: list[Connection] = []
    processes = []
    count = min(workers(), len(inputs))
    try:
        for first in range(count):
            reader, writer = context.Pipe(duplex=False)
            _widen(writer)
            process = context.Process(target=_serve, args=(work, inputs[first::count], writer, [*readers, reader]))
            process.daemon = True
            process.start()
            writer.close()
            readers.append(reader)
            processes.append(process)
        for number in range(len(inputs)):
            try:
                yield readers[number % count].recv()
            except EOFError:
                got = "one that was killed"
                raise InputError("a decoding process", "end by itself", got, "Is there enough memory?") from None
    finally:
        for reader in readers:
            reader.close()
        for process in processes:
            process.terminate()
            process.join()


def by_threads(work: Callable[[S], T], inputs: Sequence[S]) -> Iterator[T]:
    """work(input) for each input, in order, never more than a few ahead of what is taken."""
    with ThreadPoolExecutor(workers()) as pool:
        waiting = deque()
        for each in inputs:
            waiting.append(pool.submit(work, each))
            if len(waiting) > 2 * workers():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def can_fork() -> bool:
    """Whether processes can be copied safely: on Linux; macOS' own libraries do not bear it."""
    return sys.platform == "linux"


def _widen(pipe: Connection) -> None:
    """Lets a result lie in the pipe until it is taken, so that its process goes on; as it is where that is refused."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _serve(work: Callable[[S], T], inputs: Sequence[S], writer: Connection, others: list[Connection]) -> None:
    """What one process does. It holds no reading end, so that writing fails once the first process is gone."""
    gc.freeze()
    gc.enable()
    for other in others:
        other.close()
    try:
        for each in inputs:
            writer.send(work(each))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        writer.close()
        os._exit(0)  # without the parent's clean-up at exit, which is not this process's to do
