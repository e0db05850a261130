"""What the generated collections share: rendering in blocks, into memory or the cache."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np

from vaelab.catalogue import name_of
from vaelab.data.sources._base import Source
from vaelab.files import check_folder, replacing
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
    if not _is_whole(path, shape):
        mend = "Ask for fewer images, make room or set VAELAB_CACHE to another folder."
        check_folder(path.parent, prod(shape), " for the images", mend)
        with replacing(path, "the image cache", mend) as part, part.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for rows in _blocks(shape[0]):
                file.write(render(rows).data)
                bar.advance(rows.stop - rows.start)
    return path


def _is_whole(path: Path, shape: tuple[int, int, int, int]) -> bool:
    """Whether the file is there, with so many images."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).shape == shape
    except Exception:  # whatever lies there, what can't be read is made again
        return False


def _blocks(num_images: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, num_images)) for start in range(0, num_images, BLOCK)]
