"""Pixels of single files: against Pillow and tifffile, 8 and 16 bits, palettes, alpha; broken in every way."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from vaelab.data.pixels import PixelReader, to_stored
from vaelab.data.png import Unreadable, read_png
from vaelab.data.tiff_pages import read_tiff

COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def png_bytes(pixels: np.ndarray, filters: np.ndarray | None = None, interlaced: bool = False) -> bytes:
    """A PNG file written from the specification, independent of the reader: any depth, row filter and interlace."""
    height, width, channels = pixels.shape
    starts = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(filtered(pixels[y::dy, x::dx], filters) for y, x, dy, dx in starts)
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, depth, COLOUR_TYPE[channels], 0, 0, int(interlaced))
    packed = zlib.compress(rows)
    half = len(packed) // 2
    body = (b"IHDR", header), (b"IDAT", packed[:half]), (b"IDAT", packed[half:]), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in body)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered(pixels: np.ndarray, filters: np.ndarray | None) -> bytes:
    if not pixels.size:
        return b""
    step = pixels.dtype.itemsize * pixels.shape[2]
    lines = np.frombuffer(pixels.astype(pixels.dtype.newbyteorder(">")).tobytes(), np.uint8).reshape(len(pixels), -1)
    out, above = b"", np.zeros(lines.shape[1] + step, int)
    for y, line in enumerate(lines):
        now = np.concatenate([np.zeros(step, int), line])
        a, b, c = now[:-step], above[step:], above[:-step]
        p = a + b - c
        near = np.abs(np.stack([p - a, p - b, p - c])).argmin(0)
        paeth = np.choose(near, [a, b, c])
        kind = 0 if filters is None else int(filters[y % len(filters)])
        guess = (0 * a, a, b, (a + b) // 2, paeth)[kind]
        out += bytes([kind]) + (line - guess).astype(np.uint8).tobytes()
        above = now
    return out


PIXELS = st.tuples(st.integers(1, 17), st.integers(1, 17), st.integers(1, 4)).flatmap(
    lambda shape: st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays.arrays(kind, shape))
)


@given(pixels=PIXELS, filters=st.lists(st.integers(0, 4), min_size=1, max_size=5), interlaced=st.booleans())
def test_png_is_read_as_the_specification_says(pixels, filters, interlaced):
    data = png_bytes(pixels, np.array(filters), interlaced)
    read = read_png(data).pixels
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels.transpose(2, 0, 1))


@given(pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4]))))
def test_png_agrees_with_pillow(tmp_path_factory, pixels):
    path = tmp_path_factory.mktemp("png") / "a.png"
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)
    read = read_png(path.read_bytes()).pixels
    with Image.open(path) as image:
        np.testing.assert_array_equal(read, np.asarray(image).reshape(pixels.shape).transpose(2, 0, 1))


@given(data=st.data())
def test_a_damaged_png_is_never_taken_for_a_whole_one(data):
    pixels = np.random.default_rng(data.draw(st.integers(0, 3))).integers(0, 256, (9, 11, 3)).astype(np.uint8)
    good = png_bytes(pixels)
    if data.draw(st.booleans()):
        bad = good[: data.draw(st.integers(8, len(good) - 1))]
    else:
        place = data.draw(st.integers(8, len(good) - 1))
        bad = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    with pytest.raises(Unreadable):
        read_png(bad)


@given(body=st.binary(max_size=200))
def test_random_rows_are_refused_or_read(body):
    header = struct.pack(">IIBBBBB", 5, 5, 8, 0, 0, 0, 0)
    try:
        read = read_png(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    except Unreadable:
        return
    assert len(zlib.decompressobj().decompress(body)) >= 30
    assert read.pixels.shape == (1, 5, 5)


def test_a_header_that_promises_too_much_is_refused():
    header = struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(Unreadable, match="is 1073741824x1073741824 pixels"):
        read_png(data)


GREY = np.random.default_rng(0).integers(0, 256, (12, 10)).astype(np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 10, 3)).astype(np.uint8)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "pgm", "gif"])
def test_grey_stays_one_channel(tmp_path, ending):
    Image.fromarray(GREY).save(tmp_path / f"a.{ending}")
    image, names = PixelReader()(str(tmp_path / f"a.{ending}"))
    np.testing.assert_array_equal(image, GREY[None])
    assert names == ("intensity",)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp"])
def test_colour_stays_three(tmp_path, ending):
    Image.fromarray(COLOUR).save(tmp_path / f"a.{ending}", lossless=True)
    image, names = PixelReader()(str(tmp_path / f"a.{ending}"))
    np.testing.assert_array_equal(image, np.moveaxis(COLOUR, -1, 0))
    assert names == ("red", "green", "blue")


def test_jpeg_is_what_pillow_gives(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        np.testing.assert_array_equal(PixelReader()(str(tmp_path / "a.jpg"))[0], np.moveaxis(np.asarray(image), -1, 0))
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-60])
    with pytest.raises(OSError, match="truncated"):
        PixelReader()(str(tmp_path / "b.jpg"))


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_stay_sixteen(tmp_path, ending):
    pixels = np.random.default_rng(2).integers(0, 65536, (12, 10)).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}")
    image, _ = PixelReader()(str(tmp_path / f"a.{ending}"))
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, pixels[None])


def test_palettes_become_what_they_stand_for(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(16)
    palette.save(tmp_path / "colour.png")
    image, names = PixelReader()(str(tmp_path / "colour.png"))
    np.testing.assert_array_equal(image, np.moveaxis(np.asarray(palette.convert("RGB")), -1, 0))
    assert names == ("red", "green", "blue")
    grey = Image.fromarray(GREY // 16)
    grey = grey.convert("P")
    grey.putpalette([v for i in range(16) for v in (17 * i,) * 3])
    grey.save(tmp_path / "grey.png")
    image, names = PixelReader()(str(tmp_path / "grey.png"))
    np.testing.assert_array_equal(image[0], GREY // 16 * 17)
    assert names == ("intensity",)


def test_one_bit_is_black_and_white(tmp_path):
    Image.fromarray(GREY > 99).save(tmp_path / "a.png")
    np.testing.assert_array_equal(PixelReader()(str(tmp_path / "a.png"))[0], np.where(GREY > 99, 255, 0)[None])


def test_alpha_is_dropped_only_where_opaque_or_asked(tmp_path):
    alpha = np.full((12, 10, 1), 255, np.uint8)
    opaque = np.concatenate([COLOUR, alpha], -1)
    alpha[3, 4] = 9
    clear = np.concatenate([COLOUR, alpha], -1)
    paths = [str(tmp_path / "opaque.png"), str(tmp_path / "clear.png")]
    for path, pixels in zip(paths, (opaque, clear), strict=True):
        Image.fromarray(pixels).save(path)
    assert PixelReader()(paths[0])[1] == ("red", "green", "blue")
    with pytest.raises(Unreadable, match="alpha channel that is not opaque; set alpha"):
        PixelReader()(paths[1])
    np.testing.assert_array_equal(PixelReader(alpha="drop")(paths[1])[0], np.moveaxis(COLOUR, -1, 0))
    kept, names = PixelReader(alpha="keep")(paths[1])
    np.testing.assert_array_equal(kept, np.moveaxis(clear, -1, 0))
    assert names[-1] == "alpha"


def test_crop_takes_the_centre_and_size_resizes(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 65536, (40, 30)).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    cropped, _ = PixelReader(crop=(20, 10))(str(tmp_path / "a.png"))
    np.testing.assert_array_equal(cropped[0], pixels[10:30, 10:20])
    small, _ = PixelReader(crop=(20, 10), size=(10, 5))(str(tmp_path / "a.png"))
    assert small.dtype == np.uint16
    assert small.shape == (1, 10, 5)
    assert small.mean() == pytest.approx(cropped.mean(), rel=0.05)
    with pytest.raises(Unreadable, match="is 40x30 pixels, smaller than the crop of 64x64"):
        PixelReader(crop=(64, 64))(str(tmp_path / "a.png"))


@given(
    values=arrays.arrays(
        st.sampled_from(
            [np.bool_, np.int8, np.int16, np.int32, np.uint32, np.int64, np.uint64, np.float16, np.float64]
        ),
        (2, 3),
        elements=None,
    )
)
def test_other_types_keep_their_values_or_are_refused(values):
    try:
        stored = to_stored(values)
    except Unreadable:
        if values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                assert not np.isfinite(values.astype(np.float32)).all()
        else:
            assert np.abs(values.astype(object)).max() > 1 << 24
        return
    assert stored.dtype in (np.uint8, np.uint16, np.float32)
    expected = values * 255 if values.dtype == bool else values
    if values.dtype == np.float64:
        with np.errstate(over="ignore"):
            expected = values.astype(np.float32)
    np.testing.assert_array_equal(stored, expected)


@given(
    sizes=st.lists(st.integers(1, 3), min_size=3, max_size=3),
    kind=st.sampled_from([np.uint8, np.uint16, np.float32]),
)
def test_ome_axes_and_names_come_from_the_metadata(tmp_path_factory, sizes, kind):
    times, planes, channels = sizes
    stack = np.random.default_rng(4).integers(0, 200, (times, planes, channels, 9, 7)).astype(kind)
    path = tmp_path_factory.mktemp("ome") / "a.ome.tif"
    names = ["DNA", "actin", "tubulin"][:channels]
    tifffile.imwrite(path, stack, metadata={"axes": "TZCYX", "Channel": {"Name": names}}, ome=True)
    (read,) = read_tiff(str(path))
    np.testing.assert_array_equal(read.images, stack.reshape(-1, channels, 9, 7))
    assert read.channels == tuple(names)
    for row, image in zip(read.rows, read.images, strict=True):
        np.testing.assert_array_equal(image, stack[row.get("time", 0), row.get("z", 0)])


def test_plain_pages_are_images_unless_axes_say_channels(tmp_path):
    pages = np.random.default_rng(5).integers(0, 200, (5, 12, 10)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pages, metadata=None)
    (read,) = read_tiff(str(tmp_path / "a.tif"))
    assert read.images.shape == (5, 1, 12, 10)
    (read,) = read_tiff(str(tmp_path / "a.tif"), "CYX")
    np.testing.assert_array_equal(read.images[0], pages)
    with pytest.raises(Unreadable, match="not TCYX"):
        read_tiff(str(tmp_path / "a.tif"), "TCYX")


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR, GREY.astype(np.uint16) * 257], ids=["grey", "colour", "sixteen"])
def test_packed_tiff_is_read_without_further_packages(tmp_path, compression, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression)
    image, _ = PixelReader()(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(image, pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0))
    assert image.dtype == pixels.dtype


def test_twelve_channels_of_one_tiff_are_one_image(tmp_path):
    pixels = np.random.default_rng(6).integers(0, 65536, (12, 9, 8)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", metadata={"axes": "CYX"})
    image, names = PixelReader()(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(image, pixels)
    assert names == tuple(map(str, range(12)))
