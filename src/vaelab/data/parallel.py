"""Work spread over the processor's cores, its results in the order of the inputs."""

from __future__ import annotations

import contextlib
import gc
import itertools
import mmap
import multiprocessing
import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from vaelab.errors import InputError

S = TypeVar("S")
T = TypeVar("T")
AHEAD = 2
"""How many results of one process may wait."""
SLOT_BYTES = 1 << 24
"""Room for the arrays of a result, taken from the memory as far as it is used; larger ones go through a pipe."""
FREE = b"1"


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
    """work(input) for each input, in order; each process takes every n-th input and is at most two results ahead.

    The processes are copies of this one (fork): they start in milliseconds and import nothing again. They end with
    this one, however it ends, for then nobody takes their results.

    Args:
        work: Must not touch torch or the screen; its results are pickled. Their arrays lie in shared memory, which
            the next results overwrite: they hold until the next result is asked for.
        inputs: What to work on.

    Raises:
        InputError: A process was killed, as the system does when the memory is used up.
    """
    context = multiprocessing.get_context("fork")
    count = min(workers(), len(inputs))
    slots = [mmap.mmap(-1, SLOT_BYTES) for _ in range(AHEAD * count)]
    pipes: list[Connection] = []
    processes = []
    try:
        for first in range(count):
            pipe, theirs = context.Pipe()
            pipes.append(pipe)
            numbers = range(first, len(inputs), count)
            process = context.Process(target=_serve, args=(work, inputs, numbers, slots, theirs, pipes), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
        for number in range(len(inputs)):
            pipe, slot = pipes[number % count], slots[number % len(slots)]
            body, lengths = pipe.recv()
            yield _unpacked(body, lengths, slot)
            if number + len(slots) < len(inputs):
                pipe.send_bytes(FREE)
    except (EOFError, ConnectionError):
        got = "one that was killed"
        raise InputError("a decoding process", "end by itself", got, "Is there enough memory?") from None
    finally:
        for pipe in pipes:
            pipe.close()
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


def _serve(
    work: Callable[[S], T],
    inputs: Sequence[S],
    numbers: range,
    slots: Sequence[mmap.mmap],
    pipe: Connection,
    others: Sequence[Connection],
) -> None:
    """What one process does. It holds none of the first process's ends, so that its own breaks once that is gone."""
    gc.freeze()
    gc.enable()
    for other in others:
        other.close()
    try:
        for number in numbers:
            result = work(inputs[number])
            if number >= len(slots):
                pipe.recv_bytes()
            pipe.send(_packed(result, slots[number % len(slots)]))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        pass
    finally:
        pipe.close()
        os._exit(0)  # without the parent's clean-up at exit, which is not this process's to do


def _packed(result: object, slot: mmap.mmap) -> tuple[bytes, list[int]]:
    """The result without its arrays, and the length of each in the slot; with them where they do not fit."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(result, 5, buffer_callback=buffers.append)
    arrays = [buffer.raw() for buffer in buffers]
    lengths = [array.nbytes for array in arrays]
    if sum(lengths) > len(slot):
        return pickle.dumps(result, 5), []
    slot.seek(0)
    for array in arrays:
        slot.write(array)
    return body, lengths


def _unpacked(body: bytes, lengths: Sequence[int], slot: mmap.mmap) -> Any:
    """The result, its arrays views of the slot."""
    ends = [0, *itertools.accumulate(lengths)]
    return pickle.loads(body, buffers=[memoryview(slot)[start:end] for start, end in itertools.pairwise(ends)])
