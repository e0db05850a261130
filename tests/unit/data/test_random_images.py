"""Random images by random writers are read back exactly as stored, or refused; never anything else."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaelab.data.limits import Unreadable
from vaelab.data.pixels import PixelReader
from vaelab.data.tiff_pages import read_tiff

imagecodecs = pytest.importorskip("imagecodecs")

SIDES = st.tuples(st.integers(1, 21), st.integers(1, 21))
SEEDS = st.integers(0, 1 << 16)
STREAMS = [None, "zlib", "lzw", "packbits", "lzma", "zstd"]
"""Packings of bytes; the others are images of their own, which tifffile writes wrongly in the other byte order."""
TIFF_PACKINGS = [*STREAMS, "png", "jpeg2000", "webp", "jpegxl", "lerc"]
PIL_KINDS = {
    "png": ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"),
    "bmp": ("1", "L", "RGB", "P"),
    "gif": ("L", "P"),
    "webp": ("RGB", "RGBA"),
    "tga": ("L", "RGB", "RGBA", "P"),
    "pcx": ("1", "L", "RGB", "P"),
    "sgi": ("L", "RGB", "RGBA"),
    "ppm": ("1", "L", "RGB", "I;16"),
    "jp2": ("L", "LA", "RGB", "RGBA", "I;16"),
    "tif": ("1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
}
BANDS = {"LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}
PIL_TIFF = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"]


def values(seed: int, shape: tuple[int, ...], kind: object, top: int | None = None) -> np.ndarray:
    """Random values over the whole range of a type, or up to the given one."""
    numbers, kind = np.random.default_rng(seed), np.dtype(kind)
    if kind.kind == "f":
        return numbers.normal(size=shape).astype(kind)
    if kind.kind == "b":
        return numbers.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(kind)
    low, high = max(limits.min, -(1 << 24)), min(limits.max, 1 << 24)
    return numbers.integers(low, (high if top is None else top) + 1, shape).astype(kind)


def expect(path, stored: np.ndarray, page: int = 0) -> bool:
    """Whether the file gave what was stored, (channel, height, width); False where it was refused."""
    try:
        if str(path).endswith(".tif"):
            read = [image for stack in read_tiff(str(path)) for image in stack.images][page]
        else:
            read, _ = PixelReader(alpha="keep")(str(path))
    except Unreadable:
        return False
    whole = stored.astype(np.uint8) * 255 if stored.dtype == bool else stored
    read = read.astype(np.uint8) * 255 if read.dtype == bool else read
    np.testing.assert_array_equal(read, whole)
    return True


@settings(max_examples=150, deadline=None)
@given(data=st.data(), sides=SIDES, seed=SEEDS)
def test_pillow(tmp_path_factory, data, sides, seed):
    ending = data.draw(st.sampled_from(sorted(PIL_KINDS)))
    mode = data.draw(st.sampled_from(PIL_KINDS[ending]))
    kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32, "1": bool}.get(mode, np.uint8)
    stored = values(seed, (*sides, BANDS[mode]) if mode in BANDS else sides, kind)
    image, expected = Image.fromarray(stored), stored.reshape(*sides, -1)
    if mode in BANDS:
        image = Image.fromarray(stored, mode) if mode in ("CMYK", "LA") else image
    if mode == "P":
        palette = values(seed + 1, (256, 3), np.uint8)
        image = Image.fromarray(stored).convert("P")
        image.putpalette(palette.tobytes())
        expected = palette[stored]
    how = {"webp": {"lossless": True, "exact": True}, "jp2": {"irreversible": False}}.get(ending, {})
    if ending == "tif":
        how = {"compression": data.draw(st.sampled_from([*PIL_TIFF, "group4"] if mode == "1" else PIL_TIFF))}
    if ending == "tga":
        how = {"compression": data.draw(st.sampled_from([None, "tga_rle"]))}
    path = tmp_path_factory.mktemp("pil") / f"a.{ending}"
    image.save(path, **{name: value for name, value in how.items() if value is not None})
    assert expect(path, np.moveaxis(expected, -1, 0)) or (ending, mode) in (("pcx", "P"), ("tga", "P"))


@settings(max_examples=300, deadline=None)
@given(data=st.data(), sides=SIDES, seed=SEEDS)
def test_tifffile(tmp_path_factory, data, sides, seed):
    draw = data.draw
    packing = draw(st.sampled_from(TIFF_PACKINGS))
    kind = np.dtype(draw(st.sampled_from(["?", "u1", "u2", "i2", "u4", "i4", "f2", "f4", "f8"])))
    photometric = draw(st.sampled_from(["minisblack", "miniswhite", "rgb", "separated"]))
    extra = draw(st.lists(st.sampled_from([0, 1, 2]), max_size=2)) if kind.kind != "b" else []
    planar = draw(st.sampled_from(["contig", "separate"]))
    pages = draw(st.integers(1, 3))
    samples = {"rgb": 3, "separated": 4}.get(photometric, 1) + len(extra)
    bits = draw(st.integers(1, 8 * kind.itemsize)) if kind.kind == "u" and packing is None else None
    top = None if bits is None else min((1 << bits) - 1, 1 << 24)
    stored = values(seed, (pages, samples, *sides), kind, top)
    layout = stored if planar == "separate" else np.moveaxis(stored, 1, -1)
    if samples == 1:
        layout = stored[:, 0]
    how = {
        "compression": packing, "photometric": photometric, "metadata": None, "extrasamples": extra or None,
        "planarconfig": planar if samples > 1 else None, "bitspersample": bits,
        "byteorder": draw(st.sampled_from("<>" if packing in STREAMS else "<")), "bigtiff": draw(st.booleans()),
        "tile": draw(st.sampled_from([None, (16, 16), (32, 16)])), "rowsperstrip": draw(st.sampled_from([None, 1, 5])),
        "predictor": packing in ("zlib", "lzw", "lzma", "zstd") and draw(st.booleans()),
        "extratags": [(274, "H", 1, draw(st.integers(1, 8)), False)],
        "compressionargs": {"lossless": True} if packing in ("webp", "jpegxl") else None,
    }  # fmt: skip
    path = tmp_path_factory.mktemp("tif") / "a.tif"
    try:
        with tifffile.TiffWriter(path, byteorder=how.pop("byteorder"), bigtiff=how.pop("bigtiff")) as out:
            for page in layout:
                out.write(page, contiguous=False, **{name: value for name, value in how.items() if value is not None})
    except Exception:  # what the writer cannot write is no matter of ours
        return
    if photometric == "miniswhite" and kind.kind in "bu":
        end = (1 << (bits or 8 * kind.itemsize)) - 1 if kind.kind != "b" else 1
        stored = stored.copy()
        stored[:, 0] = end - stored[:, 0] if kind.kind != "b" else ~stored[:, 0]
    stored = stored.astype(bool) if bits == 1 else stored
    for page in range(pages):
        read = expect(path, stored[page], page)
    if packing in STREAMS and kind.kind in "u" and not bits:
        assert read


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sides=SIDES, seed=SEEDS, channels=st.integers(1, 4), kind=st.sampled_from([np.uint8, np.uint16]))
def test_imagecodecs(tmp_path_factory, data, sides, seed, channels, kind):
    stored = values(seed, (*sides, channels), kind)
    ending = data.draw(st.sampled_from(["png", "jp2", "j2k", "webp"]))
    if ending == "webp":
        if channels < 3 or kind != np.uint8:
            return
        packed = imagecodecs.webp_encode(stored, lossless=True, level=0)
    elif ending == "png":
        packed = imagecodecs.png_encode(stored.squeeze(-1) if channels == 1 else stored)
    else:
        whole = stored.squeeze(-1) if channels == 1 else stored
        packed = imagecodecs.jpeg2k_encode(whole, level=0, reversible=True, codecformat=ending)
    path = tmp_path_factory.mktemp("codec") / f"a.{ending}"
    path.write_bytes(packed)
    clear = ending == "webp" and channels == 4  # colours under full transparency need not be kept
    assert clear or expect(path, np.moveaxis(stored, -1, 0))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sides=SIDES, seed=SEEDS)
def test_the_same_pixels_in_every_format_are_the_same_image(tmp_path_factory, data, sides, seed):
    stored = values(seed, (*sides, 3), np.uint8)
    folder = tmp_path_factory.mktemp("same")
    for ending in ("png", "bmp", "webp", "tga", "pcx", "sgi", "ppm", "jp2", "tif"):
        packed = io.BytesIO()
        how = {"webp": {"lossless": True}, "jp2": {"irreversible": False}}.get(ending, {})
        name = {"tif": "TIFF", "jp2": "JPEG2000"}.get(ending, ending.upper())
        Image.fromarray(stored).save(packed, format=name, **how)
        (folder / f"a.{ending}").write_bytes(packed.getvalue())
        assert expect(folder / f"a.{ending}", np.moveaxis(stored, -1, 0))
