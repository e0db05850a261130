"""What the tags of a TIFF page say: what its samples are, and whether its pixels are there and can be unpacked."""

from __future__ import annotations

import importlib.util
import io
import math
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from PIL import Image

from vaelab.data.limits import MOST_BYTES, OVER, Unreadable, check_image
from vaelab.data.picture import COLOURS, INKS

PHOTOMETRIC, INK_SET, CMYK = 262, 332, 1
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
JPEG = 7
PIXEL_TAGS = frozenset({256, 257, 258, 259, 262, 277, 284, 317, 338, 339})
"""Width, height, bits, packing, colours, samples, planes, predictor, meaning of further samples and kind of number."""
STARTS = (273, 324)
FORM_TAGS = PIXEL_TAGS | {266, 278, 322, 323}
"""Those, the order of bits, rows of a strip and sides of a tile."""
MOST_TAGS = 4096
WHOLE_NUMBERS = {1: 1, 3: 2, 4: 4, 16: 8}
"""Types of whole numbers and their bytes."""
IMAGES = {7: "JPEG", 33003: "JPEG2000", 33004: "JPEG2000", 33005: "JPEG2000", 34712: "JPEG2000", 34933: "PNG",
          34927: "WEBP", 50001: "WEBP"}  # fmt: skip
"""Packings whose pieces are images with a head of their own, and Pillow's name for it."""
STREAMS = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 34926, 50000}
"""No packing, CCITT's three, LZW, deflate, PackBits, LZMA and Zstandard."""
DEFLATE, LZMA = (8, 32946), 34925
DEFLATE_RATIO = 1032


def sample_names(page: Any) -> tuple[str, ...]:
    """Names of a pixel's samples: colours by the tag PhotometricInterpretation, alpha where ExtraSamples says so; what
    it calls unspecified is a channel like any other and has a number.

    Raises:
        Unreadable: Colours that are no intensities: a palette, YCbCr, CIE L*a*b* and others.

    *Source*: TIFF 6.0, sections 4, 6, 16, 18, 21 and 23.
    """
    if PHOTOMETRIC not in page.tags:
        raise Unreadable("lacks the tag PhotometricInterpretation, which says whether 0 is black or white")
    count, kind = page.samplesperpixel, page.photometric
    if kind == PALETTE:
        raise Unreadable("has a colour palette; convert it to colour or grey")
    if kind in (WHITE_IS_ZERO, BLACK_IS_ZERO):
        colours: tuple[str, ...] = ("intensity",)
    elif kind == RGB or (kind == YCBCR and page.compression == JPEG):
        colours = COLOURS
    elif kind == SEPARATED and page.tags.valueof(INK_SET, CMYK) == CMYK:
        colours = INKS
    else:
        raise Unreadable(f"has colours of the kind {getattr(kind, 'name', kind)}; convert it to RGB or grey")
    if count < len(colours):
        return tuple(map(str, range(count)))
    extra = [*page.extrasamples, *(0,) * count][: count - len(colours)]
    alphas = [i for i, meaning in enumerate(extra) if meaning in (1, 2)]
    rest = ["alpha" if alphas[:1] == [i] else str(len(colours) + i) for i in range(len(extra))]
    if len(colours) == 1 and any(name != "alpha" for name in rest):
        colours = ("0",)
    return (*colours, *rest)


def white_is_zero(page: Any) -> bool:
    """Whether the tag says that 0 is white."""
    return page.photometric == WHITE_IS_ZERO


@cache
def has_codecs() -> bool:
    """Whether imagecodecs is there, which tifffile leaves all but a few packings to."""
    return importlib.util.find_spec("imagecodecs") is not None


def is_written(page: Any) -> bool:
    """Whether all of a page's pixels lie somewhere in the file; a page without is not black but absent."""
    return min(page.dataoffsets, default=0) >= 8 and min(page.databytecounts, default=0) > 0


def check_page(page: Any, size: int) -> None:
    """Refuses what cannot be a whole page of a file of `size` bytes, before memory is asked for.

    Raises:
        Unreadable: It would unpack to too much, is packed in a way that isn't read, or ends after the file does.
    """
    frame = page.keyframe
    for tag in frame.tags:
        if tag.code in FORM_TAGS and tag.dtype not in WHOLE_NUMBERS:
            raise Unreadable(f"is damaged: its tag {tag.name} is no whole number")
    if frame.planarconfig not in (1, 2) or frame.fillorder not in (1, 2):
        raise Unreadable("is damaged: its tags PlanarConfiguration or FillOrder are none of the specification's")
    if frame.dtype is None:
        raise Unreadable(f"holds {frame.bitspersample}-bit values of a kind that is not read")
    _, depth, height, width, samples = frame.shaped
    check_image(height, width, depth * samples * frame.shaped[0], frame.dtype.itemsize)
    if frame.is_tiled:
        check_image(frame.tilelength, frame.tilewidth, max(1, frame.tiledepth) * samples, frame.dtype.itemsize)
    if frame.compression not in STREAMS and frame.compression not in IMAGES:
        name = getattr(frame.compression, "name", frame.compression)
        raise Unreadable(f"is packed with {name}, which is not read; save it with LZW or deflate")
    bits, whole = frame.bitspersample, frame.dtype.kind != "f"
    odd = (16 < bits < 32 and whole) or (bits < 8 and frame.samplesperpixel > 1)
    if odd or (frame.compression in IMAGES and bits > 16):
        raise Unreadable(f"holds {bits}-bit values in a form that is not read exactly; save it with deflate")
    pieces = 1 if frame.is_contiguous else math.prod(frame.chunked)
    if len(page.dataoffsets) < pieces or len(page.databytecounts) < pieces:
        raise Unreadable("is damaged: it has fewer strips or tiles than its size asks for")
    if not is_written(page):
        return
    end = max(start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False))
    if frame.is_contiguous and frame.bitspersample >= 8:
        end = max(end, page.dataoffsets[0] + frame.nbytes)
    if end > size:
        raise Unreadable("is truncated: its pixels end after the file does")


def page_forms(file: Any) -> tuple[list[list[tuple[int, int]]], list[int], bool]:
    """What each page of a file's chain says of its pixels, by tag; where they begin, 0 where in several places; and
    whether the chain ends where it should."""
    tiff, reader = file.tiff, file.filehandle
    order: Literal["little", "big"] = "little" if tiff.byteorder == "<" else "big"
    forms, starts, place, seen = [], [], file.pages.first.offset, set()
    while place:
        reader.seek(place)
        count = int.from_bytes(reader.read(tiff.tagnosize), order)
        entries = reader.read(min(count, MOST_TAGS) * tiff.tagsize + tiff.offsetsize)
        size = count * tiff.tagsize
        if place in seen or not 0 < count <= MOST_TAGS or len(entries) < size + tiff.offsetsize:
            return forms, starts, False
        seen.add(place)
        form, begin = [], 0
        for start in range(0, size, tiff.tagsize):
            entry = entries[start : start + tiff.tagsize]
            code, kind = (int.from_bytes(part, order) for part in (entry[:2], entry[2:4]))
            length = int.from_bytes(entry[4 : -tiff.offsetsize], order)
            if length == 1 and kind in WHOLE_NUMBERS:
                value = int.from_bytes(entry[-tiff.offsetsize :][: WHOLE_NUMBERS[kind]], order)
                begin = value if code in STARTS else begin
                if code in PIXEL_TAGS:
                    form.append((code, value))
        forms.append(form)
        starts.append(begin)
        place = int.from_bytes(entries[size:], order)
    return forms, starts, True


def check_packed(pages: list[Any], file: Any) -> None:
    """Refuses pieces that unpack to far more than they should; others are stopped by the size that is asked for.

    Raises:
        Unreadable: One would unpack to over 256 MiB.
    """
    frame = pages[0].keyframe
    packing = IMAGES.get(frame.compression)
    bare = frame.compression in DEFLATE and not has_codecs()
    if packing is None and not bare and frame.compression != LZMA:
        return
    for data in _pieces(pages, file):
        if packing is not None:
            _check_head(data, packing)
        elif frame.compression == LZMA:
            from lzma import LZMADecompressor

            _check_stream(LZMADecompressor(), data)
        elif len(data) * DEFLATE_RATIO > MOST_BYTES:
            _check_stream(zlib.decompressobj(), data)


def _pieces(pages: list[Any], file: Any) -> Iterator[bytes]:
    """The strips or tiles as they lie in the file."""
    for page in pages:
        for start, count in zip(page.dataoffsets, page.databytecounts, strict=False):
            if count > 0:
                file.filehandle.seek(start)
                yield file.filehandle.read(count)


def _check_head(data: bytes, packing: str) -> None:
    """Of a piece that is an image, by its own head."""
    try:
        with Image.open(io.BytesIO(data), formats=[packing]) as image:
            height, width, bands = image.height, image.width, len(image.getbands())
    except Exception:  # abbreviated or broken: the decoder says
        raise Unreadable(f"is damaged: a piece of it is no {packing}") from None
    check_image(height, width, bands, 2)


def _check_stream(unpacker: Any, data: bytes) -> None:
    if len(unpacker.decompress(data, MOST_BYTES)) >= MOST_BYTES:
        raise Unreadable(f"has a strip or tile {OVER}")
