"""TIFF files: what the tags say, whatever the packing; metadata that promise more than was written; each file alone."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from vaelab.data import limits, tiff_tags
from vaelab.data.limits import Unreadable
from vaelab.data.opening import open_source
from vaelab.data.pixels import PixelReader
from vaelab.data.sources.folder import FolderSource
from vaelab.data.sources.tiff import TiffSource
from vaelab.data.tiff_pages import read_tiff
from vaelab.errors import InputError

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


def ome(
    sizes: dict[str, int], blocks: str = "<TiffData/>", uuid: str = "", order: str = "XYCZT", names=("GFP",)
) -> str:
    """OME metadata of one image of 9 rows and 8 columns."""
    told = " ".join(f'Size{axis}="{size}"' for axis, size in {"X": 8, "Y": 9, "C": 1, "Z": 1, "T": 1, **sizes}.items())
    channels = "".join(f'<Channel ID="Channel:0:{i}" Name="{n}" SamplesPerPixel="1"/>' for i, n in enumerate(names))
    head = f'<?xml version="1.0"?><OME xmlns="{OME}"' + (f' UUID="{uuid}">' if uuid else ">")
    pixels = f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" {told}>{channels}{blocks}</Pixels>'
    return f'{head}<Image ID="Image:0">{pixels}</Image></OME>'


def write_pages(path: Path, pages: np.ndarray, description: str) -> None:
    with tifffile.TiffWriter(path) as out:
        for i, page in enumerate(pages):
            how = {"metadata": None, "contiguous": False, "photometric": "minisblack"}
            out.write(page, description=description if i == 0 else None, **how)


def raw_tiff(
    width: int, height: int, *, bits: int = 8, kind: int = 1, strips: bytes = b"", description: bytes = b""
) -> bytes:
    """An uncompressed TIFF of one strip from the specification; without bytes its strip was never written."""
    start = 8 + 2 + 12 * (10 + bool(description)) + 4
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(270, 2, len(description), start)] if description else []
    tags += [(273, 4, 1, start + len(description) if strips else 0), (277, 3, 1, 1), (278, 4, 1, height)]
    tags += [(279, 4, 1, len(strips)), (339, 3, 1, kind)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + description + strips


PACKINGS = [None, "zlib", "packbits", "lzma", "lzw", "zstd"]


def packed(name: str | None) -> dict:
    if name in ("lzw", "zstd"):
        pytest.importorskip("imagecodecs")
    return {"compression": name} if name else {}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_the_packing_changes_nothing(tmp_path, numbers, packing, planar):
    pixels = numbers.integers(0, 65536, (9, 8, 3)).astype(np.uint16)
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    turned = [(274, "H", 1, 6, True)]
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, extratags=turned, **packed(packing)
    )
    image, names = PixelReader()(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(image, np.moveaxis(pixels, -1, 0))
    assert names == ("red", "green", "blue")


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.uint16])
def test_zero_is_white_is_inverted_once_and_said(tmp_path, numbers, packing, kind):
    values = numbers.integers(0, 2 if kind == np.bool_ else 65536, (9, 8)).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite", metadata=None, **packed(packing))
    collection = FolderSource(path=str(tmp_path)).load()
    top = 1 if kind == np.bool_ else np.iinfo(kind).max
    expected = (top - values.astype(int)) * (255 if kind == np.bool_ else 1)
    np.testing.assert_array_equal(collection.images[0, 0], expected)
    assert collection.notes == ("0 is white in 1 file: inverted, so that 0 is black",)
    assert FolderSource(path=str(tmp_path)).load().notes == collection.notes


def test_zero_is_white_of_twelve_bits_ends_at_4095(tmp_path, numbers):
    pytest.importorskip("imagecodecs")
    values = numbers.integers(0, 4096, (9, 8)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite", bitspersample=12, metadata=None)
    np.testing.assert_array_equal(PixelReader()(str(tmp_path / "a.tif"))[0][0], 4095 - values)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_zero_is_white_without_an_end_is_refused(tmp_path, kind):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((9, 8), kind), photometric="miniswhite", metadata=None)
    with pytest.raises(Unreadable, match="stores 0 as white in"):
        PixelReader()(str(tmp_path / "a.tif"))


@pytest.mark.parametrize(
    ("photometric", "samples", "extra", "names"),
    [
        ("minisblack", 4, [0, 0, 0], ("0", "1", "2", "3")),
        ("minisblack", 2, [2], ("intensity", "alpha")),
        ("minisblack", 3, [0, 2], ("0", "1", "alpha")),
        ("rgb", 3, [], ("red", "green", "blue")),
        ("rgb", 4, [0], ("red", "green", "blue", "3")),
        ("rgb", 4, [1], ("red", "green", "blue", "alpha")),
        ("rgb", 5, [2, 0], ("red", "green", "blue", "alpha", "4")),
        ("separated", 4, [], ("cyan", "magenta", "yellow", "black")),
        ("separated", 5, [2], ("cyan", "magenta", "yellow", "black", "alpha")),
    ],
)
def test_tags_say_what_the_samples_are(tmp_path, numbers, photometric, samples, extra, names):
    pixels = numbers.integers(0, 65535, (9, 8, samples)).astype(np.uint16)
    how = {"photometric": photometric, "planarconfig": "contig", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pixels, extrasamples=extra or None, **how)
    (stack,) = read_tiff(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(stack.images[0], np.moveaxis(pixels, -1, 0))
    assert stack.channels == names
    source = TiffSource(path=str(tmp_path / "a.tif"))
    if "alpha" in names:
        with pytest.raises(InputError, match="alpha channel that is not opaque; set alpha"):
            source.load()
        kept = TiffSource(path=str(tmp_path / "a.tif"), alpha="keep").load()
        assert kept.channels == names
        others = [i for i, name in enumerate(names) if name != "alpha"]
        dropped = TiffSource(path=str(tmp_path / "a.tif"), alpha="drop").load()
        np.testing.assert_array_equal(dropped.images[0], np.moveaxis(pixels, -1, 0)[others])
    else:
        assert source.load().channels == names


def test_colours_that_are_no_intensities_are_refused(tmp_path, numbers):
    Image.fromarray(numbers.integers(0, 255, (9, 8, 3)).astype(np.uint8)).convert("LAB").save(tmp_path / "a.tif")
    with pytest.raises(Unreadable, match="colours of the kind CIELAB; convert"):
        PixelReader()(str(tmp_path / "a.tif"))


def test_planes_that_were_never_written_are_named(tmp_path, numbers):
    pages = numbers.integers(1, 4000, (4, 9, 8)).astype(np.uint16)
    write_pages(tmp_path / "a.ome.tif", pages, ome({"T": 6}))
    collection = open_source(tmp_path).load()
    np.testing.assert_array_equal(collection.images[:, 0], pages)
    assert collection.channels == ("GFP",)
    assert collection.table["time"].tolist() == [0, 1, 2, 3]
    reason = "lacks 2 planes that its metadata promise and that were never written: time 4, time 5"
    assert collection.left_out == (("a.ome.tif", reason),)
    with pytest.raises(InputError, match="never written"):
        open_source(tmp_path).load(strict=True)


def test_an_image_without_all_its_channels_is_left_out(tmp_path, numbers):
    pages = numbers.integers(1, 4000, (5, 9, 8)).astype(np.uint16)
    write_pages(tmp_path / "a.ome.tif", pages, ome({"C": 2, "T": 3}, names=("DNA", "actin")))
    collection = TiffSource(path=str(tmp_path)).load()
    np.testing.assert_array_equal(collection.images, pages[:4].reshape(2, 2, 9, 8))
    assert collection.channels == ("DNA", "actin")
    assert "lacks a plane that its metadata promise and that was never written" in collection.left_out[0][1]
    assert "time 2 channel 1" in collection.left_out[0][1]


@pytest.mark.parametrize("order", ["XYCZT", "XYZTC", "XYTZC"])
def test_the_order_of_the_planes_is_the_metadatas(tmp_path, numbers, order):
    sizes = {"C": 2, "Z": 3, "T": 2}
    stack = numbers.integers(0, 4000, [sizes[a] for a in order[:1:-1]] + [9, 8]).astype(np.uint16)
    write_pages(tmp_path / "a.ome.tif", stack.reshape(-1, 9, 8), ome(sizes, order=order, names=("a", "b")))
    (read,) = read_tiff(str(tmp_path / "a.ome.tif"))
    named = stack.transpose([order[:1:-1].index(a) for a in "TZC"] + [3, 4])
    for row, image in zip(read.rows, read.images, strict=True):
        np.testing.assert_array_equal(image, named[row["time"], row["z"]])
    (whole,) = read_tiff(str(tmp_path / "a.ome.tif"), axes=order[::-1].replace("YX", "") + "YX")
    assert whole.images.shape == (6, 2, 9, 8)


def a_set(folder: Path, count: int, numbers: np.random.Generator, name: str = "t{}.ome.tif") -> np.ndarray:
    pages = numbers.integers(1, 4000, (count, 9, 8)).astype(np.uint16)
    block = '<TiffData FirstT="{0}" IFD="0" PlaneCount="1"><UUID FileName="{1}">urn:{0}</UUID></TiffData>'
    blocks = "".join(block.format(i, name.format(i)) for i in range(count))
    for i, page in enumerate(pages):
        write_pages(folder / f"t{i}.ome.tif", page[None], ome({"T": count}, blocks, f"urn:{i}"))
    return pages


def test_of_a_set_of_files_each_gives_its_own_planes(tmp_path, numbers):
    pages = a_set(tmp_path, 5, numbers)
    collection = open_source(tmp_path).load()
    np.testing.assert_array_equal(collection.images[:, 0], pages)
    assert collection.table["time"].tolist() == [0, 1, 2, 3, 4]
    assert collection.left_out == ()
    (tmp_path / "t4.ome.tif").unlink()
    fewer = open_source(tmp_path).load()
    np.testing.assert_array_equal(fewer.images[:, 0], pages[:4])
    assert fewer.left_out == (("t4.ome.tif", "is named by the metadata of an OME-TIFF and not there"),)


def test_names_in_the_metadata_are_never_opened(tmp_path, numbers, monkeypatch):
    (tmp_path / "in").mkdir()
    pages = a_set(tmp_path / "in", 2, numbers, name="../out{}.tif")
    for i in range(2):
        tifffile.imwrite(tmp_path / f"out{i}.tif", pages[0] * 0)
    opened = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    collection = open_source(tmp_path / "in").load()
    np.testing.assert_array_equal(collection.images[:, 0], pages)
    assert not [name for name in opened if Path(name).name.startswith("out")]
    assert [name for name, _ in collection.left_out] == ["../out0.tif", "../out1.tif"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (raw_tiff(9, 8), "was never written"),
        (raw_tiff(18_000, 18_000, bits=64, kind=3), "would unpack to 2,472 MiB"),
        (raw_tiff(20_000, 20_000, strips=bytes(99)), "MiB"),
        (raw_tiff(9, 8, strips=bytes(range(71))), "truncated|damaged"),
        (
            raw_tiff(8, 9, strips=bytes(72), description=ome({"Z": 10**8, "T": 10}).encode() + b"\0"),
            "promises 1,000,000,000 planes in its metadata, of which 1",
        ),
        (b"II*\0" + bytes(60), "no image|damaged"),
        (b"MM\0*\0\0\0\x08\xff\xff" + bytes(60), "damaged|no image"),
    ],
)
def test_what_lies_is_refused_by_name(tmp_path, data, words):
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(Unreadable, match=words):
        read_tiff(str(tmp_path / "a.tif"))
    with pytest.raises(Unreadable, match=words):
        PixelReader()(str(tmp_path / "a.tif"))


def test_a_page_whose_strips_are_empty_is_named_and_the_others_read(tmp_path, numbers):
    pages = numbers.integers(1, 255, (4, 9, 8)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        places = [(tag.offset, tag.valueoffset) for tag in (file.pages[2].tags[273], file.pages[2].tags[279])]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    for _, place in places:
        data[place : place + 4] = bytes(4)
    (tmp_path / "a.tif").write_bytes(data)
    (stack,) = read_tiff(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(stack.images[:, 0], pages[[0, 1, 3]])
    assert stack.missing == (("", "has pages that were never written: i 2"),)


def test_pages_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((30, 64, 64), np.uint8), compression="zlib", metadata=None)
    monkeypatch.setattr(limits, "MOST_BYTES", 64 * 64)
    monkeypatch.setattr(limits, "MOST_RATIO", 2)
    with pytest.raises(Unreadable, match="would unpack to"):
        read_tiff(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("packing", ["zlib", "lzma"])
def test_a_strip_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, packing):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), np.uint8), compression=packing, rowsperstrip=64)
    monkeypatch.setattr(tiff_tags, "MOST_BYTES", 4000)
    monkeypatch.setattr(tiff_tags, "has_codecs", lambda: False)
    with pytest.raises(Unreadable, match="strip or tile over the limit"):
        read_tiff(str(tmp_path / "a.tif"))


def test_without_imagecodecs_its_packings_are_refused_with_its_name(tmp_path, numbers):
    pixels = numbers.integers(0, 255, (9, 8)).astype(np.uint8)
    for name in ("tiff_lzw", "group4", "jpeg"):
        image = Image.fromarray(pixels > 99) if name == "group4" else Image.fromarray(pixels)
        image.save(tmp_path / f"{name}.tif", compression=name)
    Image.fromarray(pixels).save(tmp_path / "plain.tif")
    code = (
        "import sys\n"
        "sys.modules['imagecodecs'] = None\n"
        "from vaelab.data.sources.folder import FolderSource\n"
        "for name, reason in FolderSource(path=sys.argv[1]).load().left_out:\n"
        "    print(name, reason)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split(" is packed with ")[0] for line in lines] == ["group4.tif", "jpeg.tif", "tiff_lzw.tif"]
    assert all(line.endswith("which needs the package imagecodecs: pip install 'vaelab[codecs]'") for line in lines)
    assert done.stderr == ""


def test_a_folder_of_pictures_with_a_stack_among_them_is_a_folder(tmp_path, numbers):
    for i in range(4):
        Image.fromarray(numbers.integers(0, 255, (9, 8)).astype(np.uint8)).save(tmp_path / f"b{i}.png")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 9, 8), np.uint8), photometric="minisblack")
    source = open_source(tmp_path)
    assert isinstance(source, FolderSource)
    assert source.load().left_out == (("a.tif", "holds 3 images; the source tiff reads such files"),)
    for i in range(4):
        (tmp_path / f"b{i}.png").rename(tmp_path / f"b{i}.old")
    assert isinstance(open_source(tmp_path), TiffSource)


def test_values_that_are_not_finite_leave_their_file_or_image_out(tmp_path, numbers):
    stack = numbers.random((5, 9, 8)).astype(np.float32)
    stack[3, 2, 2] = np.nan
    for i, image in enumerate(stack):
        tifffile.imwrite(tmp_path / f"{i}.tif", image)
    collection = FolderSource(path=str(tmp_path)).load()
    assert collection.left_out == (("3.tif", "holds 1 NaN or infinite value"),)
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack", metadata=None)
    whole = TiffSource(path=str(tmp_path / "stack.tif")).load()
    np.testing.assert_array_equal(whole.images[:, 0], stack[[0, 1, 2, 4]])
    assert whole.left_out == (("stack.tif", "has images with pixels that are not finite: i 3"),)


def test_pages_that_the_metadata_do_not_name_are_said(tmp_path, numbers):
    pages = numbers.integers(1, 4000, (5, 9, 8)).astype(np.uint16)
    write_pages(tmp_path / "a.ome.tif", pages, ome({"T": 3}))
    collection = open_source(tmp_path).load()
    np.testing.assert_array_equal(collection.images[:, 0], pages[:3])
    assert collection.notes == ("pages that the metadata do not name are not read in 1 file",)


@pytest.mark.parametrize("size", ["six", "1.5", "", "-6"])
def test_metadata_without_sizes_count_for_nothing(tmp_path, numbers, size):
    pages = numbers.integers(1, 4000, (6, 9, 8)).astype(np.uint16)
    write_pages(tmp_path / "a.ome.tif", pages, ome({"T": 6}).replace('SizeT="6"', f'SizeT="{size}"'))
    np.testing.assert_array_equal(open_source(tmp_path).load().images[:, 0], pages)
