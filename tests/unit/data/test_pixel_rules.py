"""One rule for all formats: what is stored, transparency, orientation, frames, which formats are opened, how large."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from vaelab.data.limits import Unreadable
from vaelab.data.opening import open_source
from vaelab.data.photographs import BY_NAME, FORMATS
from vaelab.data.pixels import PixelReader
from vaelab.data.sources.folder import FolderSource
from vaelab.errors import InputError

COLOUR = np.random.default_rng(1).integers(0, 256, (12, 10, 3)).astype(np.uint8)
GREY = COLOUR[..., 0]
CLEAR = np.dstack([COLOUR, np.where(GREY > 99, 255, 7).astype(np.uint8)])


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def read(path, **how):
    return PixelReader(**how)(str(path))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *before: tuple[bytes, bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*each) for each in [(b"IHDR", head), *before, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    )


@pytest.mark.parametrize("top", [1, 7, 200, 255, 256, 1023, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("plain", [False, True])
def test_netpbm_counts_are_kept(tmp_path, top, channels, plain):
    values = np.random.default_rng(top).integers(0, top + 1, (6, 5, channels))
    kind = {(1, False): b"P5", (3, False): b"P6", (1, True): b"P2", (3, True): b"P3"}[channels, plain]
    body = (
        " ".join(map(str, values.ravel())).encode() if plain else values.astype("u1" if top < 256 else ">u2").tobytes()
    )
    (tmp_path / "a.ppm").write_bytes(kind + b"\n# a remark\n5 6\n%d\n" % top + body)
    image, _ = read(tmp_path / "a.ppm")
    assert image.dtype == (np.uint8 if top < 256 else np.uint16)
    np.testing.assert_array_equal(image, np.moveaxis(values, -1, 0))


@pytest.mark.parametrize("ending", [b"P4\n10 12\n", b"P1\n10 12\n"])
def test_netpbm_bits_are_black_where_one(tmp_path, ending):
    bits = GREY > 99
    body = np.packbits(bits, 1).tobytes() if ending.startswith(b"P4") else bytes(bits.ravel() + np.uint8(48))
    (tmp_path / "a.pbm").write_bytes(ending + body)
    np.testing.assert_array_equal(read(tmp_path / "a.pbm")[0][0], np.where(bits, 0, 255))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"P5\n5 5\n255\n" + bytes(24), "truncated"),
        (b"P5\n5 5\n255\n" + bytes(25) + b"P5\n5 5\n255\n" + bytes(25), "more than one image"),
        (b"P5\n5 5\n100\n" + bytes([101] * 25), "holds 101, over the 100"),
        (b"P2\n2 2\n9\n1 2 3", "holds 3 numbers, not 4"),
        (b"P2\n2 2\n9\n1 2 3 x", "other signs than digits"),
        (b"P5\n100000 100000\n255\n" + bytes(25), "MiB"),
        (b"P5\n5 5\n70000\n" + bytes(50), "largest value would be 70000"),
        (b"P5 5", "header"),
        (b"P5\r\n5 5\r\n255\r\n" + bytes(25), "read in two ways"),
    ],
)
def test_netpbm_that_is_wrong_is_refused(tmp_path, data, words):
    (tmp_path / "a.pgm").write_bytes(data)
    with pytest.raises(Unreadable, match=words):
        read(tmp_path / "a.pgm")


@pytest.mark.parametrize(("bits", "signed"), [(4, False), (8, False), (12, False), (16, False), (12, True), (16, True)])
def test_jpeg_2000_keeps_depth_and_sign(tmp_path, bits, signed):
    codecs = pytest.importorskip("imagecodecs")
    low = -(1 << bits - 1) if signed else 0
    kind = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}"
    for channels in (1, 3):
        values = np.random.default_rng(bits).integers(low, low + (1 << bits), (16, 17, channels)).astype(kind)
        data = codecs.jpeg2k_encode(values.squeeze(), level=0, reversible=True, bitspersample=bits, codecformat="jp2")
        (tmp_path / "a.jp2").write_bytes(data)
        image, _ = read(tmp_path / "a.jp2")
        np.testing.assert_array_equal(image, np.moveaxis(values, -1, 0))


def test_jpeg_2000_without_imagecodecs_says_so(tmp_path, monkeypatch):
    Image.fromarray(GREY.astype(np.uint16) * 16).save(tmp_path / "a.jp2")
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(Unreadable, match=r"is 16-bit JPEG 2000, which needs the package imagecodecs: pip install"):
        read(tmp_path / "a.jp2")


def test_sixteen_bits_that_would_become_eight_are_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.sgi", bpc=2)
    with pytest.raises(Unreadable, match="16 bits a channel"):
        read(tmp_path / "a.sgi")


def transparent(path) -> None:
    """An image of 12x10 pixels of which some are transparent, in the format of the path's name."""
    name = path.name
    if name == "key.png":
        Image.fromarray(COLOUR).save(path, transparency=tuple(map(int, COLOUR[3, 4])))
    elif name == "grey_key.png":
        Image.fromarray(GREY).save(path, transparency=int(GREY[3, 4]))
    elif name == "deep_key.png":
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in GREY)
        path.write_bytes(png(10, 12, 16, 0, rows, (b"tRNS", struct.pack(">H", int(GREY[3, 4])))))
    elif name.startswith("palette"):
        Image.fromarray(COLOUR).quantize(16).save(path, transparency=0)
    elif name.endswith(".tif"):
        tifffile.imwrite(
            path, CLEAR, photometric="rgb", extrasamples=["assocalpha" if "assoc" in name else "unassalpha"]
        )
    else:
        Image.fromarray(CLEAR).save(path, lossless=True)


TRANSPARENT = ["a.png", "key.png", "grey_key.png", "deep_key.png", "palette.png", "palette.gif", "a.webp", "a.tga"]


@pytest.mark.parametrize("name", [*TRANSPARENT, "plain.tif", "assoc.tif"])
def test_transparency_is_refused_unless_asked_for(tmp_path, name):
    transparent(tmp_path / name)
    with pytest.raises(Unreadable, match="alpha channel that is not opaque; set alpha to drop or keep it"):
        read(tmp_path / name)
    dropped, names = read(tmp_path / name, alpha="drop")
    kept, with_alpha = read(tmp_path / name, alpha="keep")
    assert with_alpha == (*names, "alpha")
    np.testing.assert_array_equal(kept[:-1], dropped)
    assert kept[-1].min() < kept[-1].max() == np.iinfo(kept.dtype).max
    if "key" in name:
        clear = (COLOUR[3, 4] == COLOUR).all(-1) if name == "key.png" else GREY[3, 4] == GREY
        np.testing.assert_array_equal(kept[-1] == 0, clear)
        np.testing.assert_array_equal(dropped, np.moveaxis(COLOUR, -1, 0) if name == "key.png" else GREY[None])


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_grey_are_parts_of_255_and_their_transparent_grey_is_found(tmp_path, bits):
    top = (1 << bits) - 1
    values = GREY % (top + 1)
    flat = np.unpackbits(values[..., None], 2)[..., -bits:].reshape(12, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in flat)
    (tmp_path / "a.png").write_bytes(png(10, 12, bits, 0, rows))
    (tmp_path / "b.png").write_bytes(png(10, 12, bits, 0, rows, (b"tRNS", b"\0\1")))
    np.testing.assert_array_equal(read(tmp_path / "a.png")[0][0], values * (255 // top))
    np.testing.assert_array_equal(read(tmp_path / "b.png", alpha="keep")[0][1], np.where(values == 1, 0, 255))


def test_a_palette_that_is_too_short_is_refused(tmp_path):
    rows = b"".join(b"\0" + bytes([2] * 4) for _ in range(4))
    (tmp_path / "a.png").write_bytes(png(4, 4, 8, 3, rows, (b"PLTE", bytes(6))))
    with pytest.raises(Unreadable, match="beyond its palette"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_photographs_are_turned_as_the_camera_noted(tmp_path, turn, ending):
    exif = Image.Exif()
    exif[274] = turn
    Image.fromarray(COLOUR).save(tmp_path / f"a.{ending}", exif=exif)
    collection = FolderSource(path=str(tmp_path)).load()
    with Image.open(tmp_path / f"a.{ending}") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(collection.images[0], np.moveaxis(expected, -1, 0))
    assert collection.notes == (() if turn == 1 else ("1 file turned as the camera noted (Exif orientation)",))


@pytest.mark.parametrize("ending", ["png", "gif", "webp", "mpo"])
def test_files_of_several_frames_are_refused(tmp_path, ending):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    name = "a.jpg" if ending == "mpo" else f"a.{ending}"
    frames[0].save(tmp_path / name, format=ending.upper(), save_all=True, append_images=frames[1:])
    with pytest.raises(Unreadable, match="frames"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.eps"])
def test_bytes_of_other_formats_start_no_program(tmp_path, monkeypatch, name):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("another program was started"))
    for number, kind in enumerate(("EPS", "PDF", "ICO", "MSP", "PALM", "DDS")):
        data = io.BytesIO()
        Image.fromarray(GREY).convert("1" if kind in ("MSP", "PALM") else "L").save(data, format=kind)
        (tmp_path / f"{number}{name}").write_bytes(data.getvalue())
        with pytest.raises(Unreadable, match="is not an image that can be read"):
            read(tmp_path / f"{number}{name}")


def test_formats_without_a_beginning_of_their_own_go_by_their_names(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.tga")
    np.testing.assert_array_equal(read(tmp_path / "a.tga")[0], GREY[None])
    os.rename(tmp_path / "a.tga", tmp_path / "a.png")
    with pytest.raises(Unreadable, match="is not an image"):
        read(tmp_path / "a.png")
    assert not {"EPS", "TIFF", "PNG", "PPM"} & {*FORMATS, *BY_NAME.values()}


def bomb(name: str) -> bytes:
    """A small file whose header promises far more than memory."""
    big = 100_000
    if name == "rows.png":
        packer = zlib.compressobj(9)
        rows = b"".join(packer.compress(bytes(16_384 * 8 + 1)) for _ in range(4000)) + packer.flush()
        return png(16_384, 16_384, 16, 6, b"").replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", rows))
    if name == "head.png":
        return png(big, big, 8, 0, bytes(100))
    data = io.BytesIO()
    kind = {"jpg": "JPEG", "bmp": "BMP", "gif": "GIF", "webp": "WEBP", "sgi": "SGI", "jp2": "JPEG2000"}[
        name[-3:].lstrip("e")
    ]
    Image.fromarray(GREY).save(data, format=kind)
    body = bytearray(data.getvalue())
    where = {"JPEG": body.find(b"\xff\xc0") + 5, "BMP": 18, "GIF": 6, "SGI": 6}.get(kind, 0)
    sides = {"JPEG": struct.pack(">HH", 60_000, 60_000), "BMP": struct.pack("<ii", big, big), "GIF": b"\xff" * 4,
             "SGI": struct.pack(">HH", 60_000, 60_000)}.get(kind)  # fmt: skip
    if kind == "JPEG2000":
        where, sides = body.find(b"\xff\x4f\xff\x51") + 8, struct.pack(">II", big, big)
    assert sides is not None
    body[where : where + len(sides)] = sides
    return bytes(body)


@pytest.mark.parametrize("name", ["rows.png", "head.png", "a.jpg", "a.bmp", "a.gif", "a.sgi", "a.jp2"])
def test_promises_of_too_much_are_refused_before_memory_is_asked_for(tmp_path, name):
    (tmp_path / name).write_bytes(bomb(name))
    with pytest.raises(Unreadable, match="over the limit of 256 MiB"):
        read(tmp_path / name)


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("value", [0, 0xB5])
@pytest.mark.parametrize("bits", [1, 8, 16])
def test_rows_that_a_png_lacks_are_not_black(tmp_path, rows, value, bits):
    line = b"\0" + bytes([value]) * max(1, bits)
    (tmp_path / "a.png").write_bytes(png(8, 8, bits, 0, line * rows))
    with pytest.raises(Unreadable, match="truncated"):
        read(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(png(8, 8, bits, 0, line * 8))
    assert read(tmp_path / "a.png")[0].shape == (1, 8, 8)


def npy(head: bytes, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + body


HEADS = {
    "negative": b"{'descr': '|u1', 'fortran_order': False, 'shape': (-3, 9, 9), }\n",
    "deep": b"{'descr': " + b"(" * 3000 + b"\n",
    "huge": b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 100000, 100000), }\n",
    "short": b"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 9, 9), }\n",
    "objects": b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 9, 9), }\n",
    "words": b"hello\n",
    "keys": b"{'shape': (3, 9, 9), }\n",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_heads_of_npy_that_lie_are_one_sentence(tmp_path, name, packed):
    data = npy(HEADS[name], bytes(243))
    if packed:
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("images.npy", data)
    else:
        (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError) as refused:
        open_source(tmp_path / ("a.npz" if packed else "a.npy")).load()
    assert "\n" not in str(refused.value)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as out,
    ):
        out.write(npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (300, 1024, 1024), }\n"))
        for _ in range(300):
            out.write(bytes(1 << 20))
    with pytest.raises(InputError, match="would unpack to 300 MiB"):
        open_source(tmp_path / "a.npz").load()


def test_a_gzip_file_that_unpacks_to_too_much_is_refused(tmp_path):
    for part, head in (("images-idx3", (0x803, 300, 1024, 1024)), ("labels-idx1", (0x801, 300))):
        with gzip.open(tmp_path / f"train-{part}-ubyte.gz", "wb", 9) as out:
            out.write(struct.pack(f">{len(head)}I", *head))
            for _ in range(300 if "images" in part else 1):
                out.write(bytes(1 << 20))
    with pytest.raises(InputError, match="unpack to 256 MiB at most"):
        open_source(tmp_path).load()


@pytest.mark.parametrize("spoil", ["images", "channels", "table/label", "record", "list", "factors", "shape"])
def test_a_saved_archive_that_was_altered_is_one_sentence(tmp_path, spoil):
    import pandas as pd

    from vaelab.data.collection import ImageCollection
    from vaelab.data.sources.npz import SAVED, save_npz

    table = pd.DataFrame({"label": ["a", "b"]})
    save_npz(ImageCollection(images=np.zeros((2, 1, 9, 9), np.uint8), table=table), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    if spoil in ("images", "channels", "table/label"):
        del arrays[spoil]
    elif spoil == "shape":
        arrays["images"] = arrays["images"][0]
    else:
        arrays[SAVED] = np.array(
            {"record": "{", "list": "[1]", "factors": '{"columns":[],"factors":["x"],"left_out":[]}'}[spoil]
        )
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(InputError, match="be an archive as save_npz wrote it"):
        open_source(tmp_path / "b.npz").load()
