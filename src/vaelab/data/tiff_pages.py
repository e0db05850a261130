"""Reads TIFF and OME-TIFF files, each alone: what its tags say of the pixels, its metadata of the axes and channels."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import numpy as np

from vaelab.data.limits import NEEDS, Unreadable, check_file
from vaelab.data.ome import COLUMN, OmeImage, lost_files, read_ome
from vaelab.data.tiff_tags import (
    check_packed,
    check_page,
    has_codecs,
    is_written,
    page_forms,
    sample_names,
    white_is_zero,
)

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MEMORY_BYTES = 1 << 28
"""Larger arrays are unpacked into a temporary file instead of memory."""
INVERTED = "0 is white in {}: inverted, so that 0 is black"
LOST = "is named by the metadata of an OME-TIFF and not there"
BROKEN = "is damaged: further pages that it names hold no pixels or cannot be found"
UNNAMED = "pages that the metadata do not name are not read in {}"
ALONE: dict[str, Any] = {"_multifile": False, "is_ome": False, "is_mmstack": False, "is_ndtiff": False}
"""Kinds of metadata that lead tifffile to open other files than the one that is read."""

_MISTAKES = (TypeError, AttributeError, NameError, AssertionError)
"""What a mistake of ours raises."""

logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False


@dataclass(frozen=True)
class Stack:
    """Images of one form from one file."""

    images: np.ndarray
    """(image, channel, height, width), any type."""
    channels: tuple[str, ...]
    """One name per channel."""
    rows: tuple[dict[str, int], ...]
    """One per image: its place along each axis that is no image axis."""
    missing: tuple[tuple[str, str], ...] = ()
    """(name, reason) of what the file should hold and does not; its own name is left empty."""
    notes: tuple[str, ...] = ()
    """How it was read where that could be otherwise."""


def read_tiff(path: str, axes: str = "") -> list[Stack]:
    """The images of a TIFF file, one stack for each of its series.

    Y and X are the picture, C and S (samples) its channels; every place along any other axis (Z, T, pages) is an image
    of its own, and where it lay goes into the table. Pages and strips that were never written are named, not black.

    Args:
        path: The file. No other is opened, whatever its metadata name.
        axes: One letter per dimension, slowest first, in place of what the metadata say, such as ``CYX``.

    Raises:
        Unreadable: The file is broken, packed in a way that needs another package, or has other dimensions.
    """
    return _reading(lambda file: _stacks(file, path, axes.upper()), path)


def count_images(path: str) -> int:
    """How many images a TIFF file holds, without its pixels.

    Raises:
        Unreadable: The file is broken.
    """
    return _reading(lambda file: sum(map(_count, _series(file))), path)


def _reading(read: Callable[[Any], Any], path: str) -> Any:
    """read(the open file), with tifffile's own errors in words of ours."""
    from tifffile import TiffFile

    with open(path, "rb") as file:
        if file.read(4) not in TIFF_STARTS:
            raise Unreadable("is not a TIFF file")
    try:
        with TiffFile(path, **ALONE) as file:
            return read(file)
    except (Unreadable, OSError, MemoryError):
        raise
    except Exception as error:  # hostile tags make tifffile raise anything
        if isinstance(error, _MISTAKES) and _is_ours(error.__traceback__):
            raise
        raise Unreadable("is a damaged TIFF file") from None


def _is_ours(trace: TracebackType | None) -> bool:
    """Whether what was raised was raised in vaelab itself."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("vaelab.")


def _count(series: Any) -> int:
    return math.prod(n for a, n in zip(series.axes, series.shape, strict=True) if a not in "CSYX")


def _series(file: Any) -> list[Any]:
    return [level.levels[0] for level in file.series if level.size]


def _stacks(file: Any, path: str, axes: str) -> list[Stack]:
    if not len(file.pages):
        raise Unreadable("holds no image")
    first = file.pages.first
    forms, starts, whole = page_forms(file)
    described = read_ome(first.description, path, len(forms), first.samplesperpixel) if first.is_ome else []
    if any(image.pages for image in described):
        named = {page for image in described for page in image.pages.values()}
        stacks = [_ome_stack(file, image, described, path, axes) for image in described if image.pages]
        if len(named) < len(forms):
            stacks[0] = replace(stacks[0], notes=(*stacks[0].notes, UNNAMED))
    else:
        series = _series(file)
        if len(series) == 1 and series[0].size > first.size:
            if any(form != forms[0] for form in forms):
                raise Unreadable("has pages of several kinds that it calls one stack")
            begin = series[0].dataoffset  # where all lie in one piece
            if begin and any(start not in (0, begin + i * first.nbytes) for i, start in enumerate(starts)):
                raise Unreadable("is damaged: its pages do not lie where it says")
        stacks = [_stack(file, each, axes) for each in series]
        if series and series[0].kind in ("uniform", "generic"):
            whole = whole and not any(0 in page.shaped or page.dtype is None for page in file.pages)
    if not stacks:
        raise Unreadable("holds no image")
    if not whole:
        stacks[-1] = replace(stacks[-1], missing=(*stacks[-1].missing, ("", BROKEN)))
    return stacks


def _stack(file: Any, series: Any, axes: str) -> Stack:
    pages, frame = [page for page in series.pages if page is not None], series.keyframe
    check_file(series.nbytes, file.filehandle.size)
    for page in pages:
        check_page(page, file.filehandle.size)
    written = np.array([is_written(page) for page in pages])
    if not written.any():
        raise Unreadable("was never written: its metadata are there, its pixels are not")
    check_packed(pages, file)
    pixels = _unpacked(lambda: series.asarray(out=_out(series.nbytes)), frame)
    if pixels.size != series.size:
        raise Unreadable("is damaged: its pages are fewer than it says")
    form = axes or series.axes
    images, rows, sizes = _arranged(pixels.reshape(series.shape), form, f"{series.axes} of sizes {series.shape}")
    if not written.all():
        if axes:
            raise Unreadable(f"has {int((~written).sum())} pages that were never written; leave out axes")
        return _written_only(images, rows, sizes, series, written)
    return _named(images, sizes, frame, (), rows)


def _written_only(
    images: np.ndarray, rows: list[dict[str, int]], sizes: dict[str, int], series: Any, written: np.ndarray
) -> Stack:
    """The images of a series of which some pages hold nothing."""
    lead = len(series.shape) - len(series.keyframe.shape)
    if len(written) == 1 or math.prod(series.shape[:lead]) != len(written):
        raise Unreadable("has pages that were never written")
    flags = written.reshape(*series.shape[:lead], *(1,) * (len(series.shape) - lead))
    there = _arranged(np.broadcast_to(flags, series.shape), series.axes, "")[0]
    whole = [bool(image[:, 0, 0].all()) for image in there]
    if not any(whole):
        raise Unreadable("has pages that were never written, some of every image")
    lost = [row for row, good in zip(rows, whole, strict=True) if not good]
    told = ", ".join(" ".join(f"{name} {i}" for name, i in row.items()) for row in lost[:8])
    more = f" and {len(lost) - 8:,} more" if len(lost) > 8 else ""
    kept = [row for row, good in zip(rows, whole, strict=True) if good]
    lacks = (("", f"has pages that were never written: {told}{more}"),)
    return _named(images[np.array(whole)], sizes, series.keyframe, (), kept, lacks)


def _ome_stack(file: Any, image: OmeImage, described: list[OmeImage], path: str, axes: str) -> Stack:
    frame, size = file.pages[min(image.pages.values())], file.filehandle.size
    pages = {place: file.pages[number] for place, number in image.pages.items()}
    if any(_form(page) != _form(frame) for page in pages.values()):
        raise Unreadable("has pages of several sizes or kinds, which its metadata call one image")
    check_file(frame.nbytes * len(pages), size)
    for page in pages.values():
        check_page(page, size)
    image.pages = {place: number for place, number in image.pages.items() if is_written(pages[place])}
    lacks = tuple(("", words) for words in (image.missing(),) if words)
    if described[0] is image:
        lacks += tuple((name, LOST) for name in lost_files(described, path))
    check_packed(list(pages.values()), file)
    if axes:
        if lacks or image.elsewhere:
            raise Unreadable("lacks planes that its metadata promise; leave out axes")
        return _relabelled(file, image, frame, axes)
    channel = image.axes.index("C")
    others = [i for i in range(3) if i != channel and image.sizes[i] > 1]
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, number in sorted(image.pages.items()):
        groups.setdefault(tuple(place[i] for i in range(3) if i != channel), []).append(number)
    whole = {place: numbers for place, numbers in groups.items() if len(numbers) == image.sizes[channel]}
    if not whole:
        raise Unreadable("holds no image of which all channels are there")
    pixels = _pages(file, frame, [number for numbers in whole.values() for number in numbers])
    pixels = pixels.reshape(len(whole), image.sizes[channel], *frame.shape)
    images, _, sizes = _arranged(pixels, "IC" + frame.axes, "")
    free = [i for i in range(3) if i != channel]
    rows = [{COLUMN[image.axes[i]]: place[free.index(i)] for i in others} for place in whole]
    return _named(images, sizes, frame, image.channels, rows, lacks)


def _relabelled(file: Any, image: OmeImage, frame: Any, axes: str) -> Stack:
    """A whole image of the metadata under other axes: places that are one long have no letter."""
    pixels = _pages(file, frame, [number for _, number in sorted(image.pages.items())])
    told = [(a, n) for a, n in zip(image.axes, image.sizes, strict=True) if n > 1]
    pixels = pixels.reshape(*(n for _, n in told), *frame.shape)
    own = f"{''.join(a for a, _ in told)}{frame.axes} of sizes {pixels.shape}"
    images, rows, sizes = _arranged(pixels, axes, own)
    return _named(images, sizes, frame, image.channels, rows)


def _form(page: Any) -> tuple[Any, ...]:
    """What pages that belong together share; they may be packed in different ways."""
    page = page.keyframe
    return page.shape, page.dtype, page.photometric, page.extrasamples, page.bitspersample, page.axes


def _pages(file: Any, frame: Any, numbers: list[int]) -> np.ndarray:
    if len({file.pages[number].hash for number in numbers}) > 1:
        return _unpacked(lambda: np.stack([file.pages[number].asarray() for number in numbers]), frame)
    return _unpacked(lambda: file.asarray(key=numbers, out=_out(frame.nbytes * len(numbers))), frame)


def _out(size: int) -> str | None:
    return "memmap" if size > MEMORY_BYTES else None


def _arranged(pixels: np.ndarray, axes: str, own: str) -> tuple[np.ndarray, list[dict[str, int]], dict[str, int]]:
    """(image, channel, height, width), where each image lay, and the size of each axis."""
    if len(axes) != pixels.ndim:
        raise Unreadable(f"has the axes {own}, not {axes}")
    if "Y" not in axes or "X" not in axes or len(set(axes)) != len(axes):
        raise Unreadable(f"has the axes {axes}: no picture of rows (Y) and columns (X)")
    sizes = dict(zip(axes, pixels.shape, strict=True))
    others = [a for a in axes if a not in "CSYX"]
    pixels = pixels.transpose([axes.index(a) for a in [*others, *(a for a in "CSYX" if a in axes)]])
    planes = sizes.get("C", 1) * sizes.get("S", 1)
    images = pixels.reshape(math.prod(sizes[a] for a in others), planes, sizes["Y"], sizes["X"])
    places = np.ndindex(*(sizes[a] for a in others))
    return images, [{COLUMN.get(a, a.lower()): i for a, i in zip(others, p, strict=True)} for p in places], sizes


def _named(
    images: np.ndarray,
    sizes: dict[str, int],
    page: Any,
    names: tuple[str, ...],
    rows: list[dict[str, int]],
    missing: tuple[tuple[str, str], ...] = (),
) -> Stack:
    """The stack, with what the tags of its pages say of the values and the channels."""
    planes, samples = images.shape[1], sizes.get("S", 1)
    channels, notes = sample_names(page), ()
    if white_is_zero(page):
        images, notes = _inverted(images, samples, page.bitspersample), (INVERTED,)
    if len(names) == planes and all(names) and len(set(names)) == planes:
        channels = names
    elif len(channels) != planes or samples != planes:
        channels = ("intensity",) if planes == 1 else tuple(map(str, range(planes)))
    return Stack(images, channels, tuple(rows), missing, notes)


def _inverted(images: np.ndarray, samples: int, bits: int) -> np.ndarray:
    """With the first sample of each pixel counted from the other end; any further samples are not its colour."""
    if images.dtype.kind not in "bu":
        raise Unreadable(f"stores 0 as white in {images.dtype} values, which have no end; save it with 0 as black")
    images = images.copy()
    first = images[:, ::samples]
    first[...] = ~first if images.dtype.kind == "b" else np.array((1 << bits) - 1, images.dtype) - first
    return images


def _unpacked(read: Callable[[], np.ndarray], page: Any) -> np.ndarray:
    try:
        return read()
    except (Unreadable, OSError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, ImportError) or (not has_codecs() and "imagecodecs" in str(error)):
            packing = getattr(page.compression, "name", page.compression)
            kind = f"{page.bitspersample}-bit values" if page.compression == 1 else packing
            raise Unreadable(f"is packed with {kind}, {NEEDS}") from None
        raise Unreadable("is damaged: its pixels cannot be unpacked") from None
