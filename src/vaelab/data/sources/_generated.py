"""What the generated collections share: rendering in blocks, into memory or the cache."""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vaelab.catalogue import name_of
from vaelab.data.sources._base import Source
from vaelab.errors import InputError
from vaelab.machine import cache_folder
from vaelab.screen import Progress

IN_MEMORY = 1 << 30
"""Collections above this many bytes are kept in the cache folder and memory-mapped."""
BLOCK = 256
"""Images rendered at a time."""


def render_in_blocks(
    source: Source,
    render: Callable[[slice], np.ndarray],
    shape: tuple[int, int, int, int],
    *,
    progress: bool = False,
) -> np.ndarray:
    """The rendered images of a generated collection, uint8, in memory or memory-mapped.

    Up to 1 GiB they are rendered into memory. Larger ones are written once to ``$VAELAB_CACHE``, else
    ``~/.cache/vaelab``, under a key made of the source's settings and code, and memory-mapped read-only; the next
    load finds them there.

    Args:
        source: The settings; with the code of their file they name the cached file.
        render: Gives the images of a slice of rows.
        shape: (image, channel, height, width) of the whole.
        progress: Show a progress bar.

    Raises:
        InputError: The cache folder cannot be written or lacks the space.
    """
    with Progress(f"rendering {name_of(source)}", shape[0], shown=progress) as bar:
        if np.prod(shape, dtype=float) > IN_MEMORY:
            return np.load(_cached(source, render, shape, bar), mmap_mode="r", allow_pickle=False)
        images = np.empty(shape, np.uint8)
        for rows in _blocks(shape[0]):
            images[rows] = render(rows)
            bar.advance(rows.stop - rows.start)
    return images


def _cached(
    source: Source, render: Callable[[slice], np.ndarray], shape: tuple[int, int, int, int], bar: Progress
) -> Path:
    """The file of the rendered images; written under another name first, so that it is whole where it is there."""
    code = Path(inspect.getfile(type(source))).read_bytes()
    key = hashlib.sha256(f"{source!r}\n".encode() + code).hexdigest()[:32]
    path = cache_folder() / "generated" / f"{name_of(source)}-{key}.npy"
    if path.exists():
        return path
    part: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full_disk(path.parent, int(np.prod(shape, dtype=np.int64)))
        with tempfile.NamedTemporaryFile(prefix=f"{path.name}.part-", dir=path.parent, delete=False) as file:
            part = file.name
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for rows in _blocks(shape[0]):
                file.write(render(rows).data)
                bar.advance(rows.stop - rows.start)
        os.replace(part, path)
        part = None
    except OSError as error:
        got = f"{str(path.parent)!r} ({error.strerror})"
        mend = "Make room or set VAELAB_CACHE to another folder."
        raise InputError("the image cache", "be a folder that can be written", got, mend) from None
    finally:
        if part is not None:
            os.unlink(part)
    return path


def _refuse_full_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        got = f"{free / 1e9:.3g} GB in {str(folder)!r}"
        mend = "Ask for fewer images, make room or set VAELAB_CACHE to another folder."
        raise InputError("the image cache", f"have {needed / 1e9:.3g} GB free", got, mend)


def _blocks(num_images: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, num_images)) for start in range(0, num_images, BLOCK)]
